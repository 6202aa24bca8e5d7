import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey, ErrorCode, errorName, isRetriable } from '@millrace/wire'
import { BrokerProcess } from './broker-process'
import { aBatch, RawClient } from './harness'
import { eventually } from '../wait'

const TOPIC = 'killed'
const PARTITIONS = [0, 1, 2]
const PRODUCERS = ['x', 'y', 'z']
const ROUNDS = 4
/** Transactions that are told of their end before the broker is killed... */
const TOLD_MIN_COUNT = 8
/** ...at some moment after that. */
const KILLED_WITHIN_MS = 150
/** What a kill left open is waited for so long; one that goes on must not be aborted on a busy machine. */
const TXN_TIMEOUT_MS = 5000
const ASK_MAX_MS = 20_000

/** What became of a transaction as far as its producer knows. */
interface Outcome {
  readonly transactionalId: string
  /** Was written to every partition. */
  readonly value: string
  /** Was committed for the producer's group. */
  readonly position: number
  readonly isCommit: boolean
  isTold: boolean
}

let broker: BrokerProcess

beforeAll(async () => {
  broker = await BrokerProcess.prepare({
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100',
  })
})
afterAll(() => broker.remove())

/** Sends a request until its error is none that passes. @throws Error with the last one after ASK_MAX_MS */
async function ask<Answer>(
  send: () => Promise<Answer>,
  errorOf: (answer: Answer) => number,
): Promise<Answer> {
  for (const deadlineMs = Date.now() + ASK_MAX_MS; ; ) {
    const answer = await send()
    if (!isRetriable(errorOf(answer))) return answer
    if (Date.now() > deadlineMs) throw new Error(`still ${errorName(errorOf(answer))}`)
    await sleep(10)
  }
}

/** One transaction after the other, until the broker is gone. */
async function transact(
  transactionalId: string,
  round: number,
  outcomes: Outcome[],
): Promise<void> {
  const client = await RawClient.open(broker.port)
  for (const keyType of [0, 1]) {
    await client.ask(ApiKey.FindCoordinator, 4, { keyType, coordinatorKeys: [transactionalId] })
  }
  const begin = { transactionalId, transactionTimeoutMs: TXN_TIMEOUT_MS }
  let producer = await ask(
    () => client.ask(ApiKey.InitProducerId, 5, begin),
    ({ errorCode }) => errorCode,
  )
  expect(producer.errorCode).toBe(ErrorCode.NONE)
  for (let count = 0; ; count++) {
    const { producerId, producerEpoch } = producer
    const outcome = {
      transactionalId,
      position: outcomes.length + 1,
      value: `${transactionalId}-${round}-${count}`,
      isCommit: count % 4 > 0,
      isTold: false,
    }
    await write(client, transactionalId, { producerId, producerEpoch }, outcome.value)
    outcomes.push(outcome)
    await commitPosition(client, transactionalId, { producerId, producerEpoch }, outcome.position)
    const end = { transactionalId, producerId, producerEpoch, committed: outcome.isCommit }
    const answer = await ask(
      () => client.ask(ApiKey.EndTxn, 5, end),
      ({ errorCode }) => errorCode,
    )
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    outcome.isTold = true
    producer = { ...producer, ...answer }
  }
}

async function write(
  client: RawClient,
  transactionalId: string,
  identity: { producerId: number; producerEpoch: number },
  value: string,
): Promise<void> {
  for (const index of PARTITIONS) {
    const producer = { ...identity, baseSequence: 0 }
    const answer = await ask(
      () => {
        const records = aBatch([value], { producer, isTransactional: true })
        const topicData = [{ name: TOPIC, partitionData: [{ index, records }] }]
        const request = { transactionalId, acks: -1, timeoutMs: 5000, topicData }
        return client.ask(ApiKey.Produce, 12, request)
      },
      ({ responses }) => responses[0].partitionResponses[0].errorCode,
    )
    expect(answer.responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.NONE)
  }
}

async function commitPosition(
  client: RawClient,
  transactionalId: string,
  producer: { producerId: number; producerEpoch: number },
  committedOffset: number,
): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
  const topics = [{ name: TOPIC, partitions }]
  const request = { transactionalId, groupId: transactionalId, ...producer, topics }
  const answer = await ask(
    () => client.ask(ApiKey.TxnOffsetCommit, 5, request),
    (response) => response.topics[0].partitions[0].errorCode,
  )
  expect(answer.topics[0].partitions[0].errorCode).toBe(ErrorCode.NONE)
}

/** The position of a producer's group, once no transaction can change it any more. */
async function readPosition(groupId: string): Promise<number> {
  const client = await RawClient.open(broker.port)
  const topics = [{ name: TOPIC, partitionIndexes: [0] }]
  const request = { groups: [{ groupId, topics }], requireStable: true }
  const { groups } = await ask(
    () => client.ask(ApiKey.OffsetFetch, 8, request),
    (response) =>
      response.groups[0].errorCode || response.groups[0].topics[0].partitions[0].errorCode,
  )
  client.close()
  return groups[0].topics[0].partitions[0].committedOffset
}

/** Resolves when so many transactions were told of their end, or when their producers have ended before that. */
async function untilTold(outcomes: readonly Outcome[], count: number, lives: Promise<unknown>) {
  let isOver = false
  void lives.then(() => (isOver = true))
  while (!isOver && outcomes.filter(({ isTold }) => isTold).length < count) await sleep(10)
}

/** Resolves when no transaction is open any more: what the kills left is committed, or aborted when its time is over. */
async function untilAllEnded(): Promise<void> {
  const client = await RawClient.open(broker.port)
  await eventually(async () => {
    const everything = { stateFilters: [], producerIdFilters: [] }
    const answer = await client.ask(ApiKey.ListTransactions, 0, everything)
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    // Empty: killed after a producer had its id and before its first record.
    const open = answer.transactionStates.filter(
      ({ transactionState }) => !/^(Empty|Complete)/.test(transactionState),
    )
    expect(open).toEqual([])
  })
  client.close()
}

/** The values of each partition that librdkafka takes for committed. */
async function readCommitted(): Promise<string[][]> {
  const where = ['-C', '-b', `127.0.0.1:${broker.port}`, '-t', TOPIC, '-o', 'beginning', '-e', '-q']
  const how = ['-X', 'isolation.level=read_committed', '-f', '%p %s\\n']
  const kcat = spawn('kcat', [...where, ...how], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  kcat.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
  await once(kcat, 'close')
  const lines = output.trim().split('\n')
  return PARTITIONS.map((partition) =>
    lines.flatMap((line) => (line.startsWith(`${partition} `) ? [line.slice(2)] : [])),
  )
}

const isInstalled = spawnSync('kcat', ['-V']).error === undefined
const title = 'a broker that is killed again and again'
const describeWithKcat = isInstalled
  ? describe.bind(null, title)
  : describe.skip.bind(null, `${title} (missing: kcat)`)

describeWithKcat(() => {
  it('TXN-1, TXN-2, TXN-5: brings every transaction to its end, whole, and those that were acknowledged as told', async () => {
    await broker.start()
    const admin = await RawClient.open(broker.port)
    const sizes = { numPartitions: PARTITIONS.length, replicationFactor: 1 }
    const topics = [{ name: TOPIC, ...sizes, assignments: [], configs: [] }]
    await admin.ask(ApiKey.CreateTopics, 5, { topics, timeoutMs: 5000 })
    admin.close()
    const outcomes: Outcome[] = []
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) await broker.start()
      const lives = PRODUCERS.map((id) => transact(id, round, outcomes))
      const allEnded = Promise.allSettled(lives)
      await untilTold(outcomes, (round + 1) * TOLD_MIN_COUNT, allEnded)
      await sleep(Math.random() * KILLED_WITHIN_MS)
      await broker.kill()
      const endings = await allEnded
      const reasons = endings.map((ending) => String((ending as PromiseRejectedResult).reason))
      expect(reasons.filter((reason) => !reason.includes('the broker closed'))).toEqual([])
    }
    await broker.start()
    await untilAllEnded()
    const committed = await readCommitted()
    // Exactly the same transactions in every partition, each once.
    const [first, ...others] = committed.map((values) => [...values].sort())
    expect(new Set(first).size).toBe(first.length)
    for (const other of others) expect(other).toEqual(first)
    const seen = new Set(first)
    const told = outcomes.filter(({ isTold }) => isTold)
    expect(told.length).toBeGreaterThanOrEqual(ROUNDS * TOLD_MIN_COUNT)
    expect(told.filter(({ value, isCommit }) => seen.has(value) !== isCommit)).toEqual([])
    const unwanted = outcomes.filter(({ value, isCommit }) => !isCommit && seen.has(value))
    expect(unwanted).toEqual([])
    for (const id of PRODUCERS) {
      const ofProducer = outcomes.filter(({ transactionalId }) => transactionalId === id)
      const last = ofProducer.findLast(({ value }) => seen.has(value))
      expect(await readPosition(id)).toBe(last?.position ?? -1)
    }
  }, 120_000)
})

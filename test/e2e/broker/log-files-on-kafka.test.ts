import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeDisk, systemClock, systemRandom } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { logConfigDefinition, LogManager, type Log } from '@millrace/log'
import { batch, BatchBuilder, Codec } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { ApiKey } from '@millrace/wire'
import { findKafka, runTool, startKafka, type KafkaNode } from '../../peers/apache-kafka'
import { RawClient } from './harness'

/**
 * Every file that the log writes, under the eyes of Kafka: its dump tool audits them, and a real broker takes the directory
 * over as it is, without recovery.
 */
const home = findKafka()
const title = 'the files of a log'
const describeOnKafka = 'missing' in home ? describe.skip : describe
const TOPIC = 'written-here'
const NAME = `${TOPIC}-0`
const TEST_MAX_MS = 180_000
const COMMITTED = 901
const ABORTED = 902
const OPEN = 903
const CONFIG = parseConfig(logConfigDefinition, {
  'segment.bytes': '1048576',
  'index.interval.bytes': '1000',
}).config

interface Written {
  readonly endOffset: number
  readonly aborted: ReturnType<Log['abortedTransactions']>
  readonly producers: ReturnType<Log['activeProducers']>
  readonly firstUnstableOffset: number | null
  /** By a time in the middle. */
  readonly timestamp: number
  readonly offsetForTimestamp: number
}

describeOnKafka(title, () => {
  let kafka: KafkaNode
  let directory: string
  let written: Written

  beforeAll(async () => {
    if ('missing' in home) return
    directory = mkdtempSync(join(tmpdir(), 'log-files-'))
    kafka = await startKafka(home, { heapMb: 256 })
    const topicId = await createTopic(kafka.port)
    const theirs = join(kafka.dataDirectory, NAME, 'partition.metadata')
    while (!existsSync(theirs)) await systemClock.sleep(50)
    await kafka.kill()
    written = await write(directory, topicId)
  }, TEST_MAX_MS)

  afterAll(async () => {
    await kafka?.stop()
    if (directory) rmSync(directory, { recursive: true })
  })

  it(
    'pass the audit of the dump tool of Kafka',
    async () => {
      if ('missing' in home) return
      const files = readdirSync(join(directory, NAME))
      for (const suffix of ['log', 'index', 'timeindex', 'txnindex', 'snapshot']) {
        const named = files.filter((name) => name.endsWith(`.${suffix}`))
        expect({ suffix, isThere: named.length > 0 }).toEqual({ suffix, isThere: true })
        const list = named.map((name) => join(directory, NAME, name)).join(',')
        const args = ['--files', list, ...(suffix === 'log' ? ['--deep-iteration'] : [])]
        const dumped = await runTool(home, 'org.apache.kafka.tools.DumpLogSegments', args)
        const isBad = /mismatch|out of order|not found|corrupt|exception|isvalid: false/i
        const complaints = dumped.stdout.split('\n').filter((line) => isBad.test(line))
        // The tool takes the first offset of a segment for a jump from -1.
        const isJumpFromNowhere = /^Non-consecutive|^ {2}-1 is followed by/
        const stderr = dumped.stderr.split('\n').filter((line) => !isJumpFromNowhere.test(line))
        expect({ code: dumped.code, stderr: stderr.join('\n'), complaints }).toEqual({
          code: 0,
          stderr: '',
          complaints: [],
        })
        expect(factsOf(suffix, dumped.stdout)).toEqual(expectedFacts(suffix, written))
      }
    },
    TEST_MAX_MS,
  )

  it(
    'are taken over by a broker of Kafka as after its own clean stop',
    async () => {
      rmSync(join(kafka.dataDirectory, NAME), { recursive: true })
      cpSync(join(directory, NAME), join(kafka.dataDirectory, NAME), { recursive: true })
      for (const name of readdirSync(directory)) {
        const isCheckpoint = /checkpoint$|cleanshutdown$/.test(name)
        if (isCheckpoint) cpSync(join(directory, name), join(kafka.dataDirectory, name))
      }
      await kafka.restart()
      const client = await RawClient.open(kafka.port)
      expect(await readCommitted(client, written.firstUnstableOffset!)).toEqual(
        written.aborted.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
      )
      expect(await offsetAt(client, written.timestamp)).toBe(written.offsetForTimestamp)
      expect(await describeProducers(client)).toEqual(written.producers)
      client.close()
    },
    TEST_MAX_MS,
  )
})

/** What the dump of a kind of file says that we know, too. */
function factsOf(suffix: string, stdout: string): unknown {
  const all = (pattern: RegExp) => [...stdout.matchAll(pattern)].map((match) => match[1])
  if (suffix === 'txnindex') return all(/producerId: (\d+ firstOffset: \d+ lastOffset: \d+)/g)
  if (suffix === 'log') return Math.max(...all(/lastOffset: (\d+)/g).map(Number)) + 1
  if (suffix === 'snapshot') return all(/producerId: (903) .*currentTxnFirstOffset: \S*\d/g).length
  return all(/offset: (\d+)/g).length > 1
}

function expectedFacts(suffix: string, { aborted, endOffset }: Written): unknown {
  if (suffix === 'log') return endOffset
  if (suffix === 'snapshot') return 1
  if (suffix !== 'txnindex') return true
  return aborted.map(
    ({ producerId, firstOffset, lastOffset }) =>
      `${producerId} firstOffset: ${firstOffset} lastOffset: ${lastOffset}`,
  )
}

/** Two segments and a third: every codec, a committed, some aborted and an open transaction, a clean stop in between. */
async function write(directory: string, topicId: string): Promise<Written> {
  const open = () =>
    LogManager.open(
      { disk: nodeDisk, clock: systemClock, logger: silentLogger, random: systemRandom },
      { directories: [directory], nodeId: 1, clusterId: 'c', configOf: () => CONFIG },
    )
  const first = await open()
  const before = await first.createLog({ topic: TOPIC, partition: 0, topicId, config: CONFIG })
  before.assignEpochStart(0, 0)
  const from = Date.now() - 1_000_000
  for (let round = 0; round < 60; round++) put(before, from + round * 1000, round)
  await before.flush()
  before.setHighWatermark(before.flushedOffset)
  await first.close()

  const second = await open()
  const log = second.log(TOPIC, 0)!
  for (let round = 60; round < 120; round++) put(log, from + round * 1000, round)
  send(log, OPEN, from + 200_000, 0)
  await log.flush()
  log.setHighWatermark(log.flushedOffset)
  const timestamp = from + 77_500
  const result = {
    endOffset: log.logEndOffset,
    aborted: log.abortedTransactions(0, log.logEndOffset),
    producers: log.activeProducers(),
    firstUnstableOffset: log.firstUnstableOffset,
    timestamp,
    offsetForTimestamp: log.offsetForTimestamp(timestamp)!.offset,
  }
  await second.close()
  expect(readFileSync(join(directory, NAME, 'leader-epoch-checkpoint'), 'utf8')).toBe('0\n1\n0 0\n')
  return result
}

function put(log: Log, timestamp: number, round: number): void {
  const codecs = Object.values(Codec)
  const plain = records(timestamp, `${round}`.padEnd(20_000, String(round)))
  log.append(plain.build({ codec: codecs[round % codecs.length] } as never), APPEND)
  if (round % 10 === 0) end(log, COMMITTED, timestamp, round / 10, true)
  if (round % 20 === 5) end(log, ABORTED, timestamp, (round - 5) / 20, false)
}

const APPEND = { leaderEpoch: 0, origin: 'client' } as const

function records(timestamp: number, value: string): BatchBuilder {
  const builder = new BatchBuilder()
  builder.append(timestamp, Buffer.from('key'), Buffer.from(value))
  return builder
}

function send(log: Log, producerId: number, timestamp: number, baseSequence: number): void {
  const producer = { producerId, producerEpoch: 0, baseSequence }
  const verification = log.startVerification({ ...producer, supportsEpochBump: false }) ?? undefined
  const made = records(timestamp, 'in a transaction').build({ ...producer, isTransactional: true })
  log.append(made, { ...APPEND, verification })
}

function end(
  log: Log,
  producerId: number,
  timestamp: number,
  baseSequence: number,
  isCommit: boolean,
): void {
  send(log, producerId, timestamp, baseSequence)
  const epochs = { producerEpoch: 0, coordinatorEpoch: 4, leaderEpoch: 0 }
  log.appendMarker({ producerId, ...epochs, isCommit, timestamp })
}

async function createTopic(port: number): Promise<string> {
  const client = await RawClient.open(port)
  const configs = [{ name: 'segment.bytes', value: '1048576' }]
  const topic = { name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs }
  const made = await client.ask(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 30_000 })
  client.close()
  return made.topics[0].topicId
}

/** Reads what is decided and returns the aborted transactions that Kafka names, in the order of their first offsets. */
async function readCommitted(client: RawClient, toOffset: number) {
  const found = new Map<string, { producerId: number; firstOffset: number }>()
  for (let offset = 0; offset < toOffset; ) {
    const partition = { partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 24 }
    const topics = [{ topic: TOPIC, partitions: [partition] }]
    const request = {
      maxWaitMs: 100,
      minBytes: 1,
      isolationLevel: 1,
      topics,
      forgottenTopicsData: [],
    }
    const { responses } = await client.ask(ApiKey.Fetch, 11, request)
    const answer = responses[0]?.partitions[0]
    // Until the restarted broker leads the partition it has nothing to say.
    if (!answer?.records?.length) continue
    for (const { producerId, firstOffset } of answer.abortedTransactions ?? []) {
      found.set(`${producerId} ${firstOffset}`, { producerId, firstOffset })
    }
    const { records: bytes } = answer
    for (let at = 0; at < bytes.length; at += batch.sizeBytes(bytes, at)) {
      offset = batch.nextOffset(bytes, at)
    }
  }
  return [...found.values()].toSorted((a, b) => a.firstOffset - b.firstOffset)
}

async function offsetAt(client: RawClient, timestamp: number): Promise<number> {
  const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp }] }]
  const answer = await client.ask(ApiKey.ListOffsets, 2, {
    replicaId: -1,
    isolationLevel: 0,
    topics,
  })
  return answer.topics[0].partitions[0].offset
}

async function describeProducers(client: RawClient) {
  const topics = [{ name: TOPIC, partitionIndexes: [0] }]
  const answer = await client.ask(ApiKey.DescribeProducers, 0, { topics })
  return answer.topics[0].partitions[0].activeProducers
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ZERO_UUID } from '@millrace/base'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '@millrace/coordinator'
import { silentLogger } from '@millrace/telemetry'
import { crashEndings, SimClock, SimDisk, SimRandom } from '@millrace/testing'
import { ErrorCode } from '@millrace/wire'
import { parseBrokerConfig } from './config'
import { BrokerEngine } from './engine'

/** Commits of positions on a simulated disk that stops at each of its operations, through coordinators, log and metadata. */
const ADDRESSES = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }]
const CLIENT = { clientId: 'c', clientHost: '/127.0.0.1', apiVersion: 9 }
const TURNS_MAX = 5000
const PLAIN = 'plain'
const TRANSACTIONAL = 'transactional'

/** What became of the positions of one group, as far as its client knows. */
interface Positions {
  /** The last one whose commit was acknowledged. */
  told: number
  /** Those that may count: the ones that were sent, or whose transaction was to be committed. */
  readonly possible: Set<number>
}

// The lock is the operating system's, and is taken on a real directory.
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-commits-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

class Node {
  readonly #engine: BrokerEngine
  readonly #clock: SimClock

  private constructor(engine: BrokerEngine, clock: SimClock) {
    this.#engine = engine
    this.#clock = clock
  }

  static async start(disk: SimDisk): Promise<Node> {
    const clock = new SimClock()
    const config = parseBrokerConfig({
      'log.dirs': directory,
      'offsets.topic.num.partitions': '1',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.num.partitions': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
    })
    const deps = { logger: silentLogger, clock, disk, random: new SimRandom(1) }
    const node = new Node(await BrokerEngine.open(deps, config), clock)
    await node.#engine.onBound(ADDRESSES)
    return node
  }

  async createTopics(): Promise<void> {
    const { topics } = this.#engine.services
    for (const name of [OFFSETS_TOPIC, TRANSACTIONS_TOPIC, 't']) {
      await topics.createAutomatically(name)
    }
  }

  async commit(committedOffset: number, positions: Positions): Promise<void> {
    positions.possible.add(committedOffset)
    const request = {
      groupId: PLAIN,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: topicsOf(committedOffset),
    }
    const { groups } = this.#engine.services
    await this.#settled(async () => {
      const { topics } = await groups.offsetCommit(request, CLIENT)
      return topics[0].partitions[0].errorCode ?? ErrorCode.NONE
    })
    positions.told = committedOffset
  }

  /** The commit of a position in a transaction, which then ends. */
  async commitInTransaction(
    committedOffset: number,
    isCommit: boolean,
    positions: Positions,
  ): Promise<void> {
    const { groups, transactions, replicas } = this.#engine.services
    const transactionalId = 'x'
    let producer = { producerId: -1, producerEpoch: -1 }
    await this.#settled(async () => {
      const claim = null
      const answer = await transactions.initProducerId({
        transactionalId,
        timeoutMs: 60_000,
        claim,
      })
      producer = answer
      return answer.errorCode
    })
    const identity = { transactionalId, ...producer, clientVersion: 2 }
    const partitions = [{ topic: OFFSETS_TOPIC, partition: 0 }]
    await this.#settled(() => transactions.addPartitions({ ...identity, partitions }))
    const { log } = replicas.partition(OFFSETS_TOPIC, 0)!
    const guard = log.startVerification({ ...producer, baseSequence: -1, supportsEpochBump: true })
    const request = {
      ...identity,
      groupId: TRANSACTIONAL,
      generationId: -1,
      memberId: '',
      groupInstanceId: null,
      topics: topicsOf(committedOffset),
    }
    await this.#settled(async () => {
      const { topics } = await groups.txnOffsetCommit(request, guard ?? undefined)
      return topics![0].partitions[0].errorCode ?? ErrorCode.NONE
    })
    if (isCommit) positions.possible.add(committedOffset)
    await this.#settled(
      async () => (await transactions.endTransaction({ ...identity, isCommit })).errorCode,
    )
    if (isCommit) positions.told = committedOffset
  }

  /** Once no transaction can change it any more. Those that nobody ended are aborted when their time is over. */
  async position(groupId: string): Promise<number> {
    const { groups } = this.#engine.services
    let committedOffset = -1
    await this.#settled(async () => {
      const topics = [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }]
      const request = { groups: [{ groupId, topics }], requireStable: true } as never
      const [group] = groups.offsetFetch(request, { ...CLIENT, apiVersion: 8 }).groups!
      const [partition] = group.topics?.[0]?.partitions ?? []
      committedOffset = Number(partition?.committedOffset ?? -1)
      return group.errorCode || partition?.errorCode || ErrorCode.NONE
    })
    return committedOffset
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  /** Asks until the answer is not to ask again, while time goes on. @throws if it is an error, which only a disk that stops makes */
  async #settled(ask: () => Promise<number>): Promise<void> {
    const again: number[] = [
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
      ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
      ErrorCode.CONCURRENT_TRANSACTIONS,
      ErrorCode.UNSTABLE_OFFSET_COMMIT,
    ]
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const errorCode = await ask()
      if (errorCode === ErrorCode.NONE) return
      if (!again.includes(errorCode)) throw new Error(`answered with ${errorCode}`)
      await this.#clock.advance(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
    throw new Error('it is never answered')
  }
}

function topicsOf(committedOffset: number) {
  const partition = { partitionIndex: 0, committedOffset, committedMetadata: '' }
  return [
    { name: 't', topicId: ZERO_UUID, partitions: [{ ...partition, committedLeaderEpoch: -1 }] },
  ]
}

interface Outcome {
  readonly plain: Positions
  readonly transactional: Positions
  /** Of the disk, before the first commit. */
  readonly firstOperation: number
}

/** `operations` of the disk are carried out of those that the commits make. */
async function play(disk: SimDisk, operations = Infinity): Promise<Outcome> {
  const node = await Node.start(disk)
  await node.createTopics()
  const plain: Positions = { told: -1, possible: new Set([-1]) }
  const transactional: Positions = { told: -1, possible: new Set([-1]) }
  const firstOperation = disk.operationCount + 1
  if (operations !== Infinity) disk.options = { powerOffAt: firstOperation + operations }
  try {
    for (let position = 1; position <= 3; position++) {
      await node.commit(position, plain)
      await node.commitInTransaction(position, position !== 2, transactional)
    }
  } catch (error) {
    if (operations === Infinity) throw error
  }
  await node.close()
  return { plain, transactional, firstOperation }
}

describe('a committed position', () => {
  it.each(crashEndings)(
    'ACK-3, TXN-1, TXN-5: counts after $name at any single disk operation, and one that was not committed never does',
    async ({ end }) => {
      const whole = new SimDisk()
      const { firstOperation } = await play(whole)
      const count = whole.operationCount - firstOperation
      expect(count).toBeGreaterThan(30)
      for (let after = 0; after < count; after++) {
        const disk = new SimDisk()
        const outcome = await play(disk, after)
        const node = await Node.start(end(disk, new SimRandom(after)))
        for (const [groupId, positions] of [
          [PLAIN, outcome.plain],
          [TRANSACTIONAL, outcome.transactional],
        ] as const) {
          const position = await node.position(groupId)
          const label = `${groupId}, ended after ${after} operations`
          expect({ label, isPossible: positions.possible.has(position) }).toEqual({
            label,
            isPossible: true,
          })
          expect(position).toBeGreaterThanOrEqual(positions.told)
        }
        await node.close()
      }
    },
    120_000,
  )
})

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { findKafka, startKafka } from '../../peers/apache-kafka'
import { aBatch, RawClient, startTestBroker } from './harness'
import { until } from '../wait'

/** One of two log directories fails while the broker runs: clients are told by us what Kafka tells them. */
const home = findKafka()
const describeOnKafka = 'missing' in home ? describe.skip : describe

const CONSUMER = -1
const NO_EPOCH = -1
const WAIT_MS = 60_000

interface Subject {
  readonly port: number
  /** Two, of which the second one is to fail. */
  readonly directories: readonly string[]
}

class Story {
  readonly #directories: readonly string[]
  readonly #client: RawClient
  #lost = -1
  #kept = -1

  private constructor(client: RawClient, { directories }: Subject) {
    this.#client = client
    this.#directories = directories
  }

  static async begin(subject: Subject): Promise<Story> {
    const story = new Story(await RawClient.open(subject.port), subject)
    await story.#createTopic()
    return story
  }

  /** A fetch that would wait for a minute. */
  async wait(port: number): Promise<{ answer: Promise<number>; close: () => void }> {
    const client = await RawClient.open(port)
    const answer = client.ask(ApiKey.Fetch, 12, aFetch(this.#lost, 1)).then(errorOfFetch)
    return { answer, close: () => client.close() }
  }

  /** Where a checkpoint is to be written lies a directory: no rights, no mounts and no full disk are needed for that. */
  async breakDirectory(): Promise<void> {
    const checkpoint = join(this.#directories[1], 'replication-offset-checkpoint.tmp')
    await until(() => isMade(checkpoint))
    await until(async () => (await this.#directoryErrors()).some((code) => code !== 0))
    // Kafka's broker tells its controller, which takes the leader away some time later.
    await until(async () => (await this.#metadata())[0].leaderId === -1)
  }

  /** What clients act on, by request. */
  async answers() {
    const client = this.#client
    const [lost, kept] = [this.#lost, this.#kept]
    const produced = async (index: number) =>
      (await client.ask(ApiKey.Produce, 9, aProduce(index))).responses[0].partitionResponses[0]
        .errorCode
    const listed = async (timestamp: number) => {
      const partitions = [{ partitionIndex: lost, currentLeaderEpoch: NO_EPOCH, timestamp }]
      const request = {
        replicaId: CONSUMER,
        isolationLevel: 0,
        topics: [{ name: 't', partitions }],
      }
      return (await client.ask(ApiKey.ListOffsets, 8, request)).topics[0].partitions[0].errorCode
    }
    return {
      directories: await this.#directoryErrors(),
      produce: [await produced(lost), await produced(kept)],
      fetch: [
        errorOfFetch(await client.ask(ApiKey.Fetch, 12, aFetch(lost, 0))),
        errorOfFetch(await client.ask(ApiKey.Fetch, 12, aFetch(kept, 0))),
      ],
      listOffsets: [await listed(-1), await listed(-2), await listed(-3), await listed(5)],
      epoch: await this.#epochError(),
      deleteRecords: await this.#deleteRecordsError(),
      producers: await this.#producersError(),
      moves: [
        await this.#moveError(lost, this.#directories[0]),
        await this.#moveError(kept, this.#directories[1]),
      ],
      metadata: await this.#metadata(),
      described: await this.#described(),
    }
  }

  close(): void {
    this.#client.close()
  }

  async #createTopic(): Promise<void> {
    const shape = { replicationFactor: 1, assignments: [], configs: [] }
    const topics = [{ name: 't', numPartitions: 2, ...shape }]
    await this.#client.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 })
    for (const index of [0, 1]) {
      await until(async () => {
        const { responses } = await this.#client.ask(ApiKey.Produce, 9, aProduce(index))
        return responses[0].partitionResponses[0].errorCode === ErrorCode.NONE
      })
    }
    this.#lost = readdirSync(this.#directories[1]).includes('t-0') ? 0 : 1
    this.#kept = 1 - this.#lost
  }

  async #directoryErrors(): Promise<number[]> {
    const { results } = await this.#client.ask(ApiKey.DescribeLogDirs, 4, { topics: [] })
    const of = (directory: string) => results.find(({ logDir }) => logDir === directory)!.errorCode
    return this.#directories.map(of)
  }

  async #epochError(): Promise<number> {
    const partitions = [{ partition: this.#lost, currentLeaderEpoch: NO_EPOCH, leaderEpoch: 0 }]
    const request = { replicaId: CONSUMER, topics: [{ topic: 't', partitions }] }
    const { topics } = await this.#client.ask(ApiKey.OffsetForLeaderEpoch, 4, request)
    return topics[0].partitions[0].errorCode
  }

  async #deleteRecordsError(): Promise<number> {
    const partitions = [{ partitionIndex: this.#lost, offset: 1 }]
    const request = { timeoutMs: 10_000, topics: [{ name: 't', partitions }] }
    const { topics } = await this.#client.ask(ApiKey.DeleteRecords, 2, request)
    return topics[0].partitions[0].errorCode
  }

  async #producersError(): Promise<number> {
    const request = { topics: [{ name: 't', partitionIndexes: [this.#lost] }] }
    const { topics } = await this.#client.ask(ApiKey.DescribeProducers, 0, request)
    return topics[0].partitions[0].errorCode
  }

  async #moveError(index: number, path: string): Promise<number> {
    const dirs = [{ path, topics: [{ name: 't', partitions: [index] }] }]
    const { results } = await this.#client.ask(ApiKey.AlterReplicaLogDirs, 2, { dirs })
    return results[0].partitions[0].errorCode
  }

  async #metadata() {
    const request = { topics: [{ name: 't' }], allowAutoTopicCreation: false }
    const { topics } = await this.#client.ask(ApiKey.Metadata, 12, request)
    return this.#inOrder(topics[0].partitions)
  }

  async #described() {
    const request = { topics: [{ name: 't' }], responsePartitionLimit: 10, cursor: null }
    const { topics } = await this.#client.ask(ApiKey.DescribeTopicPartitions, 0, request)
    return this.#inOrder(topics[0].partitions)
  }

  /** Of the partition that is lost, then of the other one. Kafka's controller also gives the first one a new epoch. */
  #inOrder<
    P extends {
      errorCode: number
      leaderId: number
      isrNodes: readonly number[]
      offlineReplicas: readonly number[]
    },
  >(partitions: readonly (P & { partitionIndex: number })[]) {
    return [this.#lost, this.#kept].map((index) => {
      const { errorCode, leaderId, isrNodes, offlineReplicas } = partitions.find(
        ({ partitionIndex }) => partitionIndex === index,
      )!
      return { errorCode, leaderId, isrNodes, offlineReplicas }
    })
  }
}

/** Not while the file of that name is there, on its way to its own name. */
function isMade(directory: string): boolean {
  try {
    mkdirSync(directory)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function aProduce(index: number) {
  const partitionData = [{ index, records: aBatch(['x']) }]
  const topicData = [{ name: 't', partitionData }]
  return { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData }
}

/** Without a session. It waits for a minute if there is nothing at the offset. */
function aFetch(partition: number, fetchOffset: number) {
  const wanted = {
    partition,
    fetchOffset,
    currentLeaderEpoch: NO_EPOCH,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1 << 20,
  }
  return {
    replicaId: CONSUMER,
    maxWaitMs: WAIT_MS,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: 't', partitions: [wanted] }],
    forgottenTopicsData: [],
    rackId: '',
  }
}

function errorOfFetch(answer: {
  responses: readonly { partitions: readonly { errorCode: number }[] }[]
}): number {
  return answer.responses[0].partitions[0].errorCode
}

describe('a log directory that fails while the broker runs', () => {
  let base: string
  let directories: string[]
  const properties = () => ({
    'log.dirs': directories.join(','),
    'replica.high.watermark.checkpoint.interval.ms': '300',
  })

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'millrace-offline-'))
    directories = [join(base, 'a'), join(base, 'b')]
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  async function ourAnswers() {
    const broker = await startTestBroker(properties())
    const story = await Story.begin({ port: broker.port, directories })
    const waiting = await story.wait(broker.port)
    try {
      await story.breakDirectory()
      return { ...(await story.answers()), waiting: await waiting.answer }
    } finally {
      waiting.close()
      story.close()
      await broker.stop()
    }
  }

  it('is served from no more, and a fetch that waits there is told at once', async () => {
    const { KAFKA_STORAGE_ERROR, NONE, LEADER_NOT_AVAILABLE } = ErrorCode
    const gone = { leaderId: -1, isrNodes: [], offlineReplicas: [1] }
    const kept = { errorCode: NONE, leaderId: 1, isrNodes: [1], offlineReplicas: [] }
    expect(await ourAnswers()).toEqual({
      waiting: KAFKA_STORAGE_ERROR,
      directories: [NONE, KAFKA_STORAGE_ERROR],
      produce: [KAFKA_STORAGE_ERROR, NONE],
      fetch: [KAFKA_STORAGE_ERROR, NONE],
      listOffsets: Array(4).fill(KAFKA_STORAGE_ERROR),
      epoch: KAFKA_STORAGE_ERROR,
      deleteRecords: KAFKA_STORAGE_ERROR,
      producers: KAFKA_STORAGE_ERROR,
      moves: [KAFKA_STORAGE_ERROR, KAFKA_STORAGE_ERROR],
      metadata: [{ errorCode: LEADER_NOT_AVAILABLE, ...gone }, kept],
      described: [{ errorCode: NONE, ...gone }, kept],
    })
  })

  describeOnKafka('beside a real Kafka', () => {
    it('is answered for in the same way', async () => {
      if ('missing' in home) return
      const { waiting: _, ...ours } = await ourAnswers() // Kafka lets that fetch wait to its end
      rmSync(base, { recursive: true })
      const metadata = { 'metadata.log.dir': join(base, 'metadata') }
      const options = { heapMb: 256, properties: { ...properties(), ...metadata } }
      const kafka = await startKafka(home, options)
      try {
        const story = await Story.begin({ port: kafka.port, directories })
        await story.breakDirectory()
        const theirs = await story.answers()
        story.close()
        expect(ours).toEqual(theirs)
      } finally {
        await kafka.stop()
      }
    }, 90_000)
  })
})

import { ApiKey } from '@millrace/wire'
import { changed, plainBatch } from './batches'
import { produceRequest } from './produce-cases'
import type { Scenario, Script, Topic } from './script'

const LAST_SEQUENCE = 2 ** 31 - 1

/** Batches of an idempotent producer, one after the other; each is `[sequence, how many records, epoch, which producer]`. */
type Sent = readonly [baseSequence: number, count?: number, epoch?: number, producer?: 'unknown']

const sequences: Record<string, readonly Sent[]> = {
  'in order': [
    [0, 2],
    [2, 1],
    [3, 5],
  ],
  'a first sequence that is not 0': [[5]],
  'a gap': [[0], [2]],
  'a step back': [[0, 3], [1]],
  'each of the last five again, and an older one': [
    [0],
    [1],
    [2],
    [3],
    [4],
    [5],
    [5],
    [4],
    [3],
    [2],
    [1],
    [0],
    [6],
  ],
  'a retry of another length': [[0, 3], [0, 2], [0, 4], [3]],
  'a lower epoch': [
    [0, 1, 2],
    [1, 1, 1],
    [0, 1, 1],
    [1, 1, 2],
  ],
  'a higher epoch': [[0], [0, 1, 1], [1, 1, 1], [1]],
  'a higher epoch whose sequence goes on': [[0], [1, 1, 1]],
  'a retry under a higher epoch': [[0], [0, 1, 1]],
  'the largest epoch': [[0, 1, 2 ** 15 - 1]],
  'a producer that nobody has made': [
    [0, 1, 0, 'unknown'],
    [1, 1, 0, 'unknown'],
  ],
  'a producer that nobody has made, in the middle': [
    [7, 1, 0, 'unknown'],
    [8, 1, 0, 'unknown'],
  ],
  'the end of all sequences': [[LAST_SEQUENCE, 1], [0]],
  'a batch across the end of all sequences': [[LAST_SEQUENCE, 3], [2]],
}

async function produceEach(on: Script, batches: readonly Sent[], version: number): Promise<void> {
  const topic = await on.topic()
  const request = { transactionalId: null, transactionTimeoutMs: 1000 }
  const { producerId } = await on.quietly(ApiKey.InitProducerId, 4, request)
  for (const [baseSequence, count = 1, producerEpoch = 0, which] of batches) {
    const id = which === 'unknown' ? 987_654_321 : producerId
    const producer = { producerId: id, producerEpoch, baseSequence }
    const values = Array<string>(count).fill('a')
    const records = plainBatch({ values, producer })
    await on.ask(ApiKey.Produce, version, produceRequest(topic, records))
  }
}

/** Entries of one request that stand beside each other. */
async function produceTogether(
  on: Script,
  entries: readonly (readonly [topic: Topic, partition: number, records: Buffer | null])[],
): Promise<void> {
  for (const version of [3, 9, 13])
    await on.ask(ApiKey.Produce, version, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 5000,
      topicData: [...new Set(entries.map(([topic]) => topic))].map((topic) => ({
        name: topic.name,
        topicId: topic.id,
        partitionData: entries
          .filter((entry) => entry[0] === topic)
          .map(([, index, records]) => ({ index, records })),
      })),
    })
}

const badFormat = () => changed(plainBatch(), (bytes) => (bytes[16] = 9))
const badSum = () => Buffer.from(plainBatch().fill(7, 17, 18))

export const sequenceScenarios: Scenario[] = [
  ...Object.entries(sequences).map(([title, batches]) => ({
    title: `sequences: ${title}`,
    run: (on: Script) => produceEach(on, batches, 9),
  })),
  {
    title: 'a format to come beside a good batch',
    run: async (on) => {
      const topic = await on.topic({}, 2)
      await produceTogether(on, [
        [topic, 0, plainBatch()],
        [topic, 1, badFormat()],
      ])
    },
  },
  {
    title: 'a wrong checksum beside a good batch',
    run: async (on) => {
      const topic = await on.topic({}, 2)
      await produceTogether(on, [
        [topic, 0, badSum()],
        [topic, 1, plainBatch()],
      ])
    },
  },
  {
    title: 'a format to come beside a topic that there is not',
    run: async (on) => {
      const topic = await on.topic()
      const nobody = { name: 'nobody', id: 'bm9ib2R5IGhhcyB0aGlzIQ' }
      await produceTogether(on, [
        [nobody, 0, plainBatch()],
        [topic, 0, badFormat()],
      ])
    },
  },
  {
    title: 'a partition twice',
    run: async (on) => {
      const topic = await on.topic()
      await produceTogether(on, [
        [topic, 0, plainBatch()],
        [topic, 0, plainBatch()],
      ])
    },
  },
  { title: 'no topics', run: async (on) => produceTogether(on, []) },
  {
    title: 'no partitions of a topic',
    run: async (on) => {
      const topic = await on.topic()
      const topicData = [{ name: topic.name, topicId: topic.id, partitionData: [] }]
      for (const version of [3, 9, 13])
        await on.ask(ApiKey.Produce, version, {
          transactionalId: null,
          acks: -1,
          timeoutMs: 5000,
          topicData,
        })
    },
  },
]

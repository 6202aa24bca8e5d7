import { systemClock, systemRandom } from '@millrace/base'
import { silentLogger } from '@millrace/telemetry'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { Cluster } from '../src/cluster'
import { IdempotentProducer, type Producer } from '../src/producer/producer'
import { AnsweringBroker } from './answering-broker'

/** A topic whose partitions change while a producer writes to it. */
class Bed {
  partitionCount: number
  metadataCount = 0
  /** What the clock is ahead. */
  skewMs = 0
  /** Partitions that were written to, in order. */
  readonly written: number[] = []
  readonly producer: Producer
  readonly #cluster: Cluster

  constructor(partitionCount: number) {
    this.partitionCount = partitionCount
    const net = new AnsweringBroker()
    net.on(ApiKey.Metadata, ({ topics }) => {
      this.metadataCount += 1
      return {
        brokers: [{ nodeId: 1, host: 'answering', port: 9092 }],
        controllerId: 1,
        topics: (topics ?? []).map(({ name }) => ({
          errorCode: 0,
          name,
          partitions: Array.from({ length: this.partitionCount }, (_, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId: 1,
            leaderEpoch: 0,
            replicaNodes: [1],
            isrNodes: [1],
          })),
        })),
      }
    })
    net.on(ApiKey.InitProducerId, () => ({
      throttleTimeMs: 0,
      errorCode: 0,
      producerId: 1,
      producerEpoch: 0,
    }))
    net.on(ApiKey.Produce, ({ topicData }) => ({
      responses: topicData.map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index }) => {
          const isThere = index < this.partitionCount
          if (isThere) this.written.push(index)
          const errorCode = isThere ? 0 : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
          return { index, errorCode, baseOffset: 0 }
        }),
      })),
    }))
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + this.skewMs }
    const deps = { clock, random: systemRandom, logger: silentLogger, net }
    this.#cluster = new Cluster(deps, { bootstrapServers: ['answering:9092'], clientId: 'test' })
    this.producer = new IdempotentProducer(deps, this.#cluster, {})
  }

  async produce(partition: number | null, key: Buffer | null = null): Promise<void> {
    const records = this.producer.begin()
    records.add('t', partition, null, key, Buffer.from('value'))
    await records.done()
  }

  async close(): Promise<void> {
    await this.producer.close()
    await this.#cluster.close()
  }
}

describe('a producer whose topic changes', () => {
  // It asked for the partition's leader without a pause, for ever.
  it('ends in a way that may pass when a partition with records has gone', async () => {
    const bed = new Bed(2)
    await bed.produce(1)
    bed.partitionCount = 1
    await expect(bed.produce(1)).rejects.toMatchObject({
      retriable: true,
      message: expect.stringContaining('t-1 is gone'),
    })
    expect(bed.metadataCount).toBeLessThan(10)
    await bed.close()
  })

  it('uses new partitions after five minutes at the latest', async () => {
    const bed = new Bed(1)
    const keys = Array.from({ length: 20 }, (_, index) => Buffer.from(`key ${index}`))
    for (const key of keys) await bed.produce(null, key)
    expect(new Set(bed.written)).toEqual(new Set([0]))
    bed.partitionCount = 4
    bed.skewMs = 300_001
    await bed.produce(null, keys[0]) // finds the new ones
    for (const key of keys) await bed.produce(null, key)
    expect(new Set(bed.written)).toEqual(new Set([0, 1, 2, 3]))
    await bed.close()
  })
})

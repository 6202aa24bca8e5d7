import type { PartitionFetchResult } from './fetch-entry'
import { ErrorCode } from '@millrace/wire'

/** What went through the partitions of one topic since the start. Counted on the way of each request: plain numbers. */
export class TopicTraffic {
  recordsIn = 0
  bytesIn = 0
  bytesOut = 0
  appends = 0
  failedAppends = 0
  reads = 0
  failedReads = 0

  add(other: TopicTraffic): void {
    this.recordsIn += other.recordsIn
    this.bytesIn += other.bytesIn
    this.bytesOut += other.bytesOut
    this.appends += other.appends
    this.failedAppends += other.failedAppends
    this.reads += other.reads
    this.failedReads += other.failedReads
  }
}

/** The traffic of all topics that this node has replicas of. */
export class Traffic {
  readonly #byTopic = new Map<string, TopicTraffic>()
  /** Of topics that were deleted: the totals must not fall. */
  readonly #deleted = new TopicTraffic()

  /** Only for topics that there are: it makes the counters of a topic that it does not know. */
  of(topic: string): TopicTraffic {
    let traffic = this.#byTopic.get(topic)
    if (traffic === undefined) {
      traffic = new TopicTraffic()
      this.#byTopic.set(topic, traffic)
    }
    return traffic
  }

  countReads(results: readonly PartitionFetchResult[]): void {
    for (const { entry, errorCode, records } of results) {
      const { topic } = entry
      const traffic = topic === null ? undefined : this.#byTopic.get(topic)
      if (traffic === undefined) continue
      traffic.reads += 1
      if (errorCode === ErrorCode.NONE) traffic.bytesOut += records.length
      else traffic.failedReads += 1
    }
  }

  delete(topic: string): void {
    const traffic = this.#byTopic.get(topic)
    if (traffic === undefined) return
    this.#deleted.add(traffic)
    this.#byTopic.delete(topic)
  }

  topics(): Iterable<[topic: string, traffic: TopicTraffic]> {
    return this.#byTopic
  }

  total(): TopicTraffic {
    const total = new TopicTraffic()
    total.add(this.#deleted)
    for (const traffic of this.#byTopic.values()) total.add(traffic)
    return total
  }
}

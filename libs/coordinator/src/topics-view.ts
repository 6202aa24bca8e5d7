/** The topics of the cluster, as a group of the consumer protocol needs to know them. */
export interface TopicsView {
  /** Grows whenever a topic comes, goes or gets more partitions; also over restarts. */
  version(): number
  names(): Iterable<string>
  /** Null if there is no such topic. */
  topicId(name: string): string | null
  /** Null if there is no such topic. */
  nameOf(topicId: string): string | null
  /** 0 if there is no such topic. */
  partitionCount(name: string): number
}

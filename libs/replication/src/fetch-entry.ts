/** What a reader wants of one partition. The entries of a session live as long as it does and change with its requests. */
export interface FetchEntry {
  /** Null while no topic with the id is known. */
  readonly topic: string | null
  /** Null where the reader names topics by name. */
  readonly topicId: string | null
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  /** -1 when the reader does not know it. */
  readonly currentLeaderEpoch: number
  /** Epoch of the last batch the reader has, -1 when it does not check for lost history. */
  readonly lastFetchedEpoch: number
}

/** What one partition of a fetch request gets. */
export interface PartitionFetchResult {
  readonly entry: FetchEntry
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Set when the reader's history left ours: the last epoch we share and where it ends. */
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null
  /** What a reader of committed records must leave out; null for others. */
  readonly abortedTransactions:
    | readonly { readonly producerId: number; readonly firstOffset: number }[]
    | null
  /** Whole batches, a view of the log's memory or a buffer of its own: read only. */
  readonly records: Buffer
}

const NO_RECORDS = Buffer.alloc(0)

export function failedFetch(entry: FetchEntry, errorCode: number): PartitionFetchResult {
  return {
    entry,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: null,
    abortedTransactions: null,
    records: NO_RECORDS,
  }
}

import { ErrorCode } from '@millrace/wire'
import type { FetchEntry, PartitionFetchResult } from './fetch-entry'

/** In place of an id: the request, or the answer, has no session. */
export const NO_SESSION = 0
/** The epoch of a request that opens a session, and of one that ends it or wants none. */
export const INITIAL_EPOCH = 0
export const FINAL_EPOCH = -1
const MAX_EPOCH = 2 ** 31 - 1

/** A partition by the name that its session uses: the topic's id, or else its name. */
export type PartitionName = Pick<FetchEntry, 'topic' | 'topicId' | 'partition'>

/** An entry of a session, and what its reader was told of it last. */
interface SessionEntry extends FetchEntry {
  topic: string | null
  fetchOffset: number
  maxBytes: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  sentHighWatermark: number
  sentLogStartOffset: number
}

/**
 * The partitions that a reader has named once, so that its next requests tell only what changed, and the answers too
 * (KIP-227). Entries are read in the order of the map; one that gave records goes to its end, so that all have their turn.
 */
export class FetchSession {
  readonly id: number
  /** Of a follower: it may take the place of a consumer's. */
  readonly isPrivileged: boolean
  readonly usesTopicIds: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** FETCH-1: the epoch that the next request must have. */
  epoch = nextEpoch(INITIAL_EPOCH)
  readonly #entries = new Map<string, SessionEntry>()

  constructor(
    options: { id: number; isPrivileged: boolean; usesTopicIds: boolean; nowMs: number },
    results: readonly PartitionFetchResult[],
  ) {
    this.id = options.id
    this.isPrivileged = options.isPrivileged
    this.usesTopicIds = options.usesTopicIds
    this.createdMs = this.lastUsedMs = options.nowMs
    for (const result of results) {
      const entry = newEntry(result.entry)
      noteSent(entry, result)
      this.#entries.set(keyOf(entry), entry)
    }
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): Iterable<FetchEntry> {
    return this.#entries.values()
  }

  /** Takes in what a request changes. */
  update(wanted: readonly FetchEntry[], forgotten: readonly PartitionName[]): void {
    for (const entry of wanted) {
      const key = keyOf(entry)
      const known = this.#entries.get(key)
      if (known) updateEntry(known, entry)
      else this.#entries.set(key, newEntry(entry))
    }
    for (const name of forgotten) this.#entries.delete(keyOf(name))
  }

  /** A topic that was not known when the session began may have been created since. */
  resolveNames(nameOf: (topicId: string) => string | undefined): void {
    for (const entry of this.#entries.values())
      if (entry.topic === null) entry.topic = nameOf(entry.topicId!) ?? null
  }

  /** FETCH-2: leaves out what the reader knows already, and remembers the rest as told. */
  takeNews(results: readonly PartitionFetchResult[]): PartitionFetchResult[] {
    return results.filter((result) => {
      const key = keyOf(result.entry)
      const entry = this.#entries.get(key)
      if (!entry || !isNews(entry, result)) return false
      noteSent(entry, result)
      if (result.records.length > 0) {
        this.#entries.delete(key)
        this.#entries.set(key, entry)
      }
      return true
    })
  }
}

/** Session epochs run from 1 to the largest int32 and begin again at 1. */
export function nextEpoch(epoch: number): number {
  if (epoch < 0) return FINAL_EPOCH
  return epoch === MAX_EPOCH ? 1 : epoch + 1
}

/** Topic ids and names cannot be mixed up within a session: it uses one or the other. */
export function keyOf({ topic, topicId, partition }: PartitionName): string {
  return `${topicId ?? topic}:${partition}`
}

function newEntry(entry: FetchEntry): SessionEntry {
  const { topic, topicId, partition, fetchOffset, maxBytes } = entry
  const { currentLeaderEpoch, lastFetchedEpoch } = entry
  return {
    topic,
    topicId,
    partition,
    fetchOffset,
    maxBytes,
    currentLeaderEpoch,
    lastFetchedEpoch,
    sentHighWatermark: -1,
    sentLogStartOffset: -1,
  }
}

function updateEntry(known: SessionEntry, entry: FetchEntry): void {
  known.fetchOffset = entry.fetchOffset
  known.maxBytes = entry.maxBytes
  known.currentLeaderEpoch = entry.currentLeaderEpoch
  known.lastFetchedEpoch = entry.lastFetchedEpoch
}

function isNews(entry: SessionEntry, result: PartitionFetchResult): boolean {
  return (
    result.records.length > 0 ||
    result.errorCode !== ErrorCode.NONE ||
    result.divergingEpoch !== null ||
    result.highWatermark !== entry.sentHighWatermark ||
    result.logStartOffset !== entry.sentLogStartOffset
  )
}

function noteSent(entry: SessionEntry, result: PartitionFetchResult): void {
  // After an error the partition is told again as soon as it is well, even if nothing else changed.
  entry.sentHighWatermark = result.errorCode === ErrorCode.NONE ? result.highWatermark : -1
  entry.sentLogStartOffset = result.logStartOffset
}

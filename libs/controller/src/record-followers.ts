import type { WatchEvent } from '@millrace/coordination'
import type { ClusterRecords, RecordKind } from './cluster-records'

/** Null for a record that was removed. */
export type RecordListener<T> = (key: string, value: T | null) => void

interface Follower {
  readonly kind: RecordKind<unknown>
  readonly listener: RecordListener<unknown>
}

/** Those who want to hear which records of a kind changed, where looking through all of them would take too long. */
export class RecordFollowers {
  readonly #followers: Follower[] = []

  /** Tells of each record that there is, and from then on of each change. */
  add<T>(kind: RecordKind<T>, listener: RecordListener<T>, records: ClusterRecords): void {
    this.#followers.push({ kind, listener } as Follower)
    for (const [key, value] of records.of(kind)) listener(key, value)
  }

  /** `records` are those after the events. */
  tell(events: readonly WatchEvent[], records: ClusterRecords): void {
    for (const { kind, listener } of this.#followers)
      for (const event of events) {
        const fullKey = event.type === 'put' ? event.item.key : event.key
        if (!fullKey.startsWith(kind.prefix)) continue
        const key = fullKey.slice(kind.prefix.length)
        listener(key, records.of(kind).get(key) ?? null)
      }
  }
}

/**
 * The one door to shared metadata, with etcd's semantics: every successful transaction that changes something gets the
 * next global revision; keys remember when they were made and last changed; a watch sees every change once, in order.
 */
export interface Store {
  /** The committed value of a key, or null. */
  get(key: string): Promise<KeyValue | null>
  /** All keys that begin with `prefix`, in key order, and the revision at which they are current. */
  range(prefix: string): Promise<Range>
  /**
   * Runs `success` if every comparison holds, else `failure`; all of it or nothing. Resolves when the result is durable.
   * @throws PlatformError COORDINATION_* ; after COORDINATION_STORE_FAILED it is unknown whether the change is durable.
   */
  txn(transaction: Transaction): Promise<TransactionResult>
  /**
   * Calls `onEvents` once for each revision from `fromRevision` on that touched a key with the prefix: in order, none
   * left out, none twice. Never called before `watch` has returned.
   * @throws PlatformError COORDINATION_REVISION_COMPACTED if that history is gone: read the range, watch from there.
   */
  watch(prefix: string, fromRevision: number, onEvents: WatchListener): Watch
  /** Waits for transactions under way; later calls are refused. */
  close(): Promise<void>
}

export interface KeyValue {
  readonly key: string
  /** Text, JSON by convention. */
  readonly value: string
  /** Revision at which the key was made. */
  readonly createRevision: number
  /** Revision of its last change. */
  readonly modRevision: number
  /** 1 when made, one more for each change. */
  readonly version: number
}

export interface Range {
  readonly revision: number
  readonly items: readonly KeyValue[]
}

/** Holds if the key's number equals `equals`. All three are 0 for a key that does not exist. */
export interface Comparison {
  readonly key: string
  readonly target: 'createRevision' | 'modRevision' | 'version'
  readonly equals: number
}

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }

export interface Transaction {
  readonly compare?: readonly Comparison[]
  /** A key may occur once. Deleting an absent key does nothing. */
  readonly success: readonly Operation[]
  readonly failure?: readonly Operation[]
}

export interface TransactionResult {
  /** Whether the comparisons held. */
  readonly succeeded: boolean
  /** The store's revision after the transaction: its own if it changed something. */
  readonly revision: number
}

export type WatchEvent =
  | { readonly type: 'put'; readonly item: KeyValue }
  | { readonly type: 'delete'; readonly key: string; readonly modRevision: number }

export type WatchListener = (events: readonly WatchEvent[], revision: number) => void

export interface Watch {
  /** No call of the listener begins after this. */
  close(): void
}

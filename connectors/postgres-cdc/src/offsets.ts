import type { SourcePosition } from '@millrace/connect-api'

/**
 * Where streaming goes on. Commits come in the order of their commit records, but the events of a transaction carry the LSNs of
 * their own records, which lie before it and interleave with other transactions: so a position is the last transaction that is
 * complete, plus how far we are inside the next one.
 */
export interface StreamPosition {
  /** LSN of the last event that was given. */
  readonly lsn: number
  /** How many events of that LSN were given: one WAL record may hold many rows. 0 if unknown (an offset of Debezium's). */
  readonly ordinal: number
  /** Transaction of that event. */
  readonly txId: number | null
  /** End of the last transaction that was given completely, null if none is known. */
  readonly lsnCommit: number | null
}

/** What the stored offset says. */
export type StoredState =
  | { readonly kind: 'none' }
  /** A snapshot was begun and not completed: its records tell nothing about where to go on. */
  | { readonly kind: 'snapshot-cut-short' }
  | { readonly kind: 'position'; readonly position: StreamPosition }

export type MessageType = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE' | 'BEGIN' | 'COMMIT'

/** Key of ours beside Debezium's; Debezium ignores it. */
const ORDINAL_KEY = 'lsn_ordinal'

export function sourcePartition(prefix: string): SourcePosition {
  return Object.freeze({ server: prefix })
}

/** The offset of the records of a snapshot; its last record has a completed one. `txId` is for readers: nothing resumes there. */
export function snapshotOffset(lsn: number, txId: number, tsUs: number): SourcePosition {
  return {
    snapshot: 'INITIAL',
    snapshot_completed: false,
    last_snapshot_record: false,
    lsn,
    txId,
    ts_usec: tsUs,
  }
}

export function completedSnapshotOffset(offset: SourcePosition): SourcePosition {
  return { ...offset, snapshot_completed: true, last_snapshot_record: true }
}

export function streamOffset(
  position: StreamPosition,
  tsUs: number,
  messageType: MessageType,
): SourcePosition {
  return {
    lsn_proc: position.lsn,
    messageType,
    lsn_commit: position.lsnCommit,
    lsn: position.lsn,
    txId: position.txId,
    ts_usec: tsUs,
    lsn_ordinal: position.ordinal,
  }
}

/** Reads an offset that we or Debezium stored. */
export function parseOffset(offset: SourcePosition | null): StoredState {
  if (offset === null) return { kind: 'none' }
  const isSnapshot = offset.snapshot !== undefined && offset.snapshot !== null
  const isCompleted = offset.snapshot_completed === true || offset.snapshot_completed === 'true'
  if (isSnapshot && !isCompleted) return { kind: 'snapshot-cut-short' }
  const lsn = toNumber(offset.lsn ?? offset.lsn_proc ?? offset.lsn_commit)
  if (lsn === null) return { kind: 'none' }
  const position = {
    lsn,
    ordinal: toNumber(offset[ORDINAL_KEY]) ?? 0,
    // The transaction id of a snapshot is not one to resume in.
    txId: isSnapshot ? null : toNumber(offset.txId),
    lsnCommit: toNumber(offset.lsn_commit),
  }
  return { kind: 'position', position }
}

export function isSamePosition(a: StreamPosition, b: StreamPosition): boolean {
  return a.lsn === b.lsn && a.ordinal === b.ordinal && a.lsnCommit === b.lsnCommit
}

function toNumber(value: unknown): number | null {
  if (value === null || value === undefined) return null
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : null
}

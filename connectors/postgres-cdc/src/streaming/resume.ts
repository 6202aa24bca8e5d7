import type { StreamPosition } from '../offsets'
import type { Begin } from './pgoutput'

/** What to do with the next transaction after streaming began anew. */
export type ResumeStep =
  /** It was given completely. */
  | 'skip'
  /** It was given up to the stored position. */
  | 'resume'
  /** It is new, and so is everything after it. */
  | 'give'

/**
 * Tells transactions that were given before from new ones. The server sends again whatever commits at or after the position where
 * streaming starts, which may lie before the stored position.
 *
 * A transaction that committed before an event of ours was written, came before that event's transaction: it was given.
 */
export function resumeStep(begin: Begin, stored: StreamPosition): ResumeStep {
  if (begin.commitLsn < Math.max(stored.lsn, stored.lsnCommit ?? 0)) return 'skip'
  return begin.txId === stored.txId ? 'resume' : 'give'
}

/** Whether an event of the resumed transaction was given. Within a transaction LSNs never fall. */
export function wasGiven(lsn: number, ordinal: number, stored: StreamPosition): boolean {
  return lsn < stored.lsn || (lsn === stored.lsn && ordinal <= stored.ordinal)
}

/** Where to start: after the last complete transaction, or for a first transaction at the position itself. */
export function startLsn(stored: StreamPosition): number {
  return stored.lsnCommit ?? stored.lsn
}

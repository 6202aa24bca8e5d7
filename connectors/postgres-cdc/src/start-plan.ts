import { ConfigurationError } from '@millrace/connect-api'
import type { StoredState, StreamPosition } from './offsets'
import type { PostgresConfig } from './options'
import type { Slot } from './slot'

export type StartPlan =
  /** Read the tables, then stream; with `streams` false stop after the tables. */
  | { readonly kind: 'snapshot'; readonly streams: boolean }
  /** Stream from where an earlier run came to. */
  | { readonly kind: 'stream'; readonly position: StreamPosition }
  /** Stream from where the slot is, or from now on with a new one. */
  | { readonly kind: 'stream-from-slot' }
  /** Nothing is left to do. */
  | { readonly kind: 'idle' }

type SnapshotMode = PostgresConfig['snapshotMode']

/**
 * Decides how a task begins, from the mode, the stored offset and the slot.
 * @throws ConfigurationError if changes were lost, which only a human may accept
 */
export function planStart(
  mode: SnapshotMode,
  stored: StoredState,
  slot: Slot | null,
  slotName: string,
): StartPlan {
  if (mode === 'always') return { kind: 'snapshot', streams: true }
  if (mode === 'initial_only') {
    return stored.kind === 'position' ? { kind: 'idle' } : { kind: 'snapshot', streams: false }
  }
  const skipsSnapshot = mode === 'no_data' || mode === 'never'
  if (stored.kind !== 'position') {
    return skipsSnapshot ? { kind: 'stream-from-slot' } : { kind: 'snapshot', streams: true }
  }
  if (slot !== null && !slot.isLost) return { kind: 'stream', position: stored.position }
  if (mode === 'when_needed') return { kind: 'snapshot', streams: true }
  throw new ConfigurationError(
    `slot ${slotName} ${slot === null ? 'does not exist any more' : 'has lost the WAL it needs'}, so changes since the stored offset are gone: ` +
      'read the tables again with snapshot.mode=when_needed (or always, or initial after deleting the offset)',
  )
}

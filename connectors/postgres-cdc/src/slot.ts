import { escapeIdentifier, type Client } from 'pg'
import { ConfigurationError, RetriableError } from '@millrace/connect-api'
import { queryRows } from './session'
import { parseLsn } from './streaming/lsn'

export interface Slot {
  readonly plugin: string | null
  readonly database: string | null
  /** Process that streams from it, null if it is free. */
  readonly activePid: number | null
  readonly confirmedFlushLsn: number | null
  /** Its WAL is gone: nothing can be read from it again. */
  readonly isLost: boolean
}

export interface CreatedSlot {
  /** Transactions that commit from here on are streamed; what committed before is in the snapshot. */
  readonly consistentLsn: number
  /** For SET TRANSACTION SNAPSHOT, while the session that made the slot is open and idle. */
  readonly snapshotName: string
}

/** The slot, or null if there is none of that name. */
export async function readSlot(client: Client, name: string): Promise<Slot | null> {
  // As JSON, since which columns there are depends on the version.
  const [row] = await queryRows<{ slot: Record<string, unknown> }>(
    client,
    `looking for slot ${name}`,
    'select to_jsonb(s) as slot from pg_replication_slots s where slot_name = $1',
    [name],
  )
  if (row === undefined) return null
  const { slot } = row
  const confirmed = slot.confirmed_flush_lsn as string | null
  return {
    plugin: slot.plugin as string | null,
    database: slot.database as string | null,
    activePid: slot.active === true ? (slot.active_pid as number) : null,
    confirmedFlushLsn: confirmed === null ? null : parseLsn(confirmed),
    isLost: slot.wal_status === 'lost' || slot.conflicting === true,
  }
}

/** @throws ConfigurationError if the slot cannot be ours */
export function checkSlot(name: string, slot: Slot, database: string): void {
  if (slot.plugin !== 'pgoutput') {
    throw new ConfigurationError(
      `slot ${name} uses the output plugin ${slot.plugin ?? '(none: it is physical)'}, not pgoutput: drop it or choose another slot.name`,
    )
  }
  if (slot.database !== database) {
    throw new ConfigurationError(
      `slot ${name} belongs to database ${slot.database}, not ${database}: choose another slot.name`,
    )
  }
}

/**
 * Makes the slot and exports the snapshot at its start. Waits for the transactions that run now. `replication` must be a
 * replication session.
 */
export async function createSlot(
  replication: Client,
  options: { readonly name: string; readonly isFailover: boolean },
): Promise<CreatedSlot> {
  const details = options.isFailover ? "(SNAPSHOT 'export', FAILOVER true)" : 'EXPORT_SNAPSHOT'
  const [row] = await queryRows<{ consistent_point: string; snapshot_name: string }>(
    replication,
    `creating slot ${options.name}`,
    `CREATE_REPLICATION_SLOT ${escapeIdentifier(options.name)} LOGICAL pgoutput ${details}`,
  )
  return { consistentLsn: parseLsn(row.consistent_point), snapshotName: row.snapshot_name }
}

/** Drops the slot. @throws RetriableError if somebody streams from it */
export async function dropSlot(client: Client, name: string, slot: Slot): Promise<void> {
  if (slot.activePid !== null) {
    throw new RetriableError(`slot ${name} is in use by process ${slot.activePid}`)
  }
  await queryRows(client, `dropping slot ${name}`, 'select pg_drop_replication_slot($1)', [name])
}

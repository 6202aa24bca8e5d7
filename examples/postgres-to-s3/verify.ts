/** Compares the objects that the sink wrote with the database, row by row. */
import { hash } from 'node:crypto'
import { eventColumns } from './columns.ts'
import type { ObjectReader } from './objects.ts'
import type { Shop } from './shop.ts'

export interface Verdict {
  /** Rows and changes that no object holds, or whose last state differs from the database. */
  readonly lost: number
  /** Events of the same topic, key, lsn and op beyond the first. */
  readonly duplicated: number
  /** Events that come after a later event of their key. */
  readonly out_of_order: number
  /** When the connector read the first row and the first change, by its own clock, in ms. */
  readonly firstRowMs: number
  readonly firstChangeMs: number
}

interface ChangeEvent {
  readonly op: 'r' | 'c' | 'u' | 'd'
  readonly before: Record<string, unknown> | null
  readonly after: Record<string, unknown> | null
  readonly source: { readonly table: string; readonly lsn: number }
  readonly ts_ms: number
}

/** The last state of a key: its event's position, and a digest of the row (null when deleted). */
interface KeyState {
  lsn: number
  row: string | null
  /** `lsn/op` of all events of the key, to find duplicates: most keys have one event, so it is a set only from the second on. */
  seen: string | Set<string>
  hasSnapshotRow: boolean
}

const TABLES = ['customers', 'orders'] as const

/** @param expected how many rows the snapshot and how many changes the stream must have brought, at least */
export async function verify(
  shop: Shop,
  objects: ObjectReader,
  expected: { readonly rows: number; readonly changes: number },
): Promise<Verdict> {
  const tally = new Tally()
  for await (const { key, lines } of objects.read()) {
    const topic = key.split('/').at(-3) as string
    for (const line of lines) tally.add(topic, JSON.parse(line) as ChangeEvent)
  }
  const missing =
    Math.max(0, expected.rows - tally.rows) + Math.max(0, expected.changes - tally.changes)
  const different = await countDifferentRows(shop, tally.keys)
  return {
    lost: missing + different,
    duplicated: tally.duplicated,
    out_of_order: tally.outOfOrder,
    firstRowMs: tally.firstRowMs,
    firstChangeMs: tally.firstChangeMs,
  }
}

/** What the events say, taken in the order of the log. */
class Tally {
  readonly keys = new Map<string, KeyState>()
  /** Keys with a row from the snapshot, and further events; neither counts duplicates. */
  rows = 0
  changes = 0
  duplicated = 0
  outOfOrder = 0
  firstRowMs = Number.POSITIVE_INFINITY
  firstChangeMs = Number.POSITIVE_INFINITY

  add(topic: string, { op, before, after, source, ts_ms: readMs }: ChangeEvent): void {
    const id = `${topic}/${String((after ?? before)?.id)}`
    const state = this.keys.get(id) ?? { lsn: -1, row: null, seen: '', hasSnapshotRow: false }
    if (state.lsn === -1) this.keys.set(id, state)
    if (!isFirst(state, `${source.lsn}/${op}`)) {
      this.duplicated += 1
      return
    }
    if (source.lsn < state.lsn) this.outOfOrder += 1
    state.lsn = source.lsn
    state.row = after === null ? null : digest(eventRow(source.table, after))
    if (op !== 'r') {
      this.changes += 1
      this.firstChangeMs = Math.min(this.firstChangeMs, readMs)
      return
    }
    // A snapshot that was cut off begins anew and brings its rows again, at another position.
    if (!state.hasSnapshotRow) this.rows += 1
    state.hasSnapshotRow = true
    this.firstRowMs = Math.min(this.firstRowMs, readMs)
  }
}

function isFirst(state: KeyState, mark: string): boolean {
  const { seen } = state
  if (seen === '') state.seen = mark
  else if (typeof seen !== 'string') {
    if (seen.has(mark)) return false
    seen.add(mark)
  } else if (seen === mark) return false
  else state.seen = new Set([seen, mark])
  return true
}

/** Rows whose last event is not their state in the database, and keys that live on in the objects only. */
async function countDifferentRows(
  shop: Shop,
  keys: ReadonlyMap<string, KeyState>,
): Promise<number> {
  let different = 0
  let living = 0
  for (const table of TABLES) {
    for await (const row of shop.rows(table)) {
      living += 1
      const state = keys.get(`shop.public.${table}/${row.id}`)
      if (state?.row !== digest(databaseRow(table, row))) different += 1
    }
  }
  let alive = 0
  for (const { row } of keys.values()) if (row !== null) alive += 1
  return different + Math.max(0, alive - living)
}

/** A short stand-in for a row, so that millions of them fit in memory. */
function digest(row: readonly (string | null)[]): string {
  return hash('sha1', JSON.stringify(row), 'base64url')
}

function eventRow(table: string, after: Record<string, unknown>): (string | null)[] {
  return eventColumns(table).map(({ name, fromEvent }) => fromEvent(after[name]))
}

function databaseRow(table: string, row: Record<string, string | null>): (string | null)[] {
  return eventColumns(table).map(({ name, fromDatabase }) => fromDatabase(row[name]))
}

/** Compares the objects that the sink wrote with the database, row by row. */
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

/** The last state of a key: its event's position, and the row as text (null when deleted). */
interface KeyState {
  lsn: number
  row: string | null
  /** Of all events of the key, to find duplicates. */
  readonly seen: Set<string>
}

const TABLES = ['customers', 'orders'] as const

export async function verify(
  shop: Shop,
  objects: ObjectReader,
  expected: { readonly rows: number; readonly changes: number },
): Promise<Verdict> {
  const keys = new Map<string, KeyState>()
  const counts = { rows: 0, changes: 0, duplicated: 0, outOfOrder: 0 }
  let firstRowMs = Number.POSITIVE_INFINITY
  let firstChangeMs = Number.POSITIVE_INFINITY

  for await (const { key: objectKey, lines } of objects.read()) {
    const topic = objectKey.split('/').at(-3) as string
    for (const line of lines) {
      const event = JSON.parse(line) as ChangeEvent
      const image = (event.after ?? event.before) as Record<string, unknown>
      const id = `${topic}/${String(image.id)}`
      const mark = `${event.source.lsn}/${event.op}`
      let state = keys.get(id)
      if (state === undefined) keys.set(id, (state = { lsn: -1, row: null, seen: new Set() }))
      if (state.seen.has(mark)) {
        counts.duplicated += 1
        continue
      }
      state.seen.add(mark)
      if (event.source.lsn < state.lsn) counts.outOfOrder += 1
      state.lsn = event.source.lsn
      state.row = event.after === null ? null : rowText(event.source.table, event.after)
      if (event.op === 'r') {
        counts.rows += 1
        firstRowMs = Math.min(firstRowMs, event.ts_ms)
      } else {
        counts.changes += 1
        firstChangeMs = Math.min(firstChangeMs, event.ts_ms)
      }
    }
  }

  const missing =
    Math.max(0, expected.rows - counts.rows) + Math.max(0, expected.changes - counts.changes)
  const different = await countDifferentRows(shop, keys)
  return {
    lost: missing + different,
    duplicated: counts.duplicated,
    out_of_order: counts.outOfOrder,
    firstRowMs,
    firstChangeMs,
  }
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
      if (state?.row !== databaseRowText(table, row)) different += 1
    }
  }
  let alive = 0
  for (const { row } of keys.values()) if (row !== null) alive += 1
  return different + Math.max(0, alive - living)
}

function rowText(table: string, after: Record<string, unknown>): string {
  return JSON.stringify(eventColumns(table).map(({ name, fromEvent }) => fromEvent(after[name])))
}

function databaseRowText(table: string, row: Record<string, string | null>): string {
  return JSON.stringify(
    eventColumns(table).map(({ name, fromDatabase }) => fromDatabase(row[name])),
  )
}

import type { SourceRecord } from '@millrace/connect-api'
import { Client, type Submittable } from 'pg'
import { type Database, envelopeOf } from './harness'

/** The table that the records make, as [id, n] by id. */
export function replay(records: readonly SourceRecord[]): [number, number][] {
  const table = new Map<number, number>()
  for (const record of records) {
    const { id } = record.key as { id: number }
    const after = record.value === null ? null : envelopeOf(record).after
    if (after === null) table.delete(id)
    else table.set(id, after.n as number)
  }
  return [...table].sort(([a], [b]) => a - b)
}

/** Each update adds one: a lost or repeated change would show as another step. */
export function expectOneStepUpdates(records: readonly SourceRecord[]): void {
  const last = new Map<number, number>()
  const wrong: unknown[] = []
  for (const record of records) {
    const { op, after } = record.value === null ? { op: '-', after: null } : envelopeOf(record)
    if (after === null) continue
    const { id, n } = after as { id: number; n: number }
    const expected = op === 'u' ? last.get(id)! + 1 : last.has(id) ? 'nothing' : n
    if (n !== expected) wrong.push({ id, op, n, expected })
    last.set(id, n)
  }
  expect(wrong).toEqual([])
}

interface CopyConnection {
  query(sql: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/** Loads lines by COPY FROM STDIN, which writes many rows in one WAL record. */
export async function copyIn(database: Database, lines: readonly string[]): Promise<void> {
  const client = new Client(database.url)
  await client.connect()
  await new Promise<void>((resolve, reject) => {
    client.query({
      submit(connection: CopyConnection) {
        connection.query('COPY item FROM STDIN')
      },
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(Buffer.from(`${lines.join('\n')}\n`))
        connection.endCopyFrom()
      },
      handleCommandComplete() {},
      handleReadyForQuery: () => resolve(),
      handleError: reject,
      callback() {},
    } as unknown as Submittable)
  })
  await client.end()
}

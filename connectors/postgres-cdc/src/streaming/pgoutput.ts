import { readLsn } from './lsn'

/** Messages of the pgoutput plugin, protocol version 1, as they lie in a buffer. */

export const Message = {
  begin: 0x42,
  commit: 0x43,
  delete: 0x44,
  insert: 0x49,
  relation: 0x52,
  truncate: 0x54,
  update: 0x55,
} as const

/** What precedes the tuples of an update or a delete. */
export const Tuple = { key: 0x4b, old: 0x4f, new: 0x4e } as const

export interface Begin {
  /** Where the commit record begins. */
  readonly commitLsn: number
  /** Microseconds since the epoch. */
  readonly commitMicros: number
  readonly txId: number
}

export interface RelationColumn {
  readonly name: string
  readonly typeOid: number
  readonly modifier: number
  /** Part of the replica identity. */
  readonly isKey: boolean
}

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly columns: readonly RelationColumn[]
}

const POSTGRES_EPOCH_MICROS = 946_684_800_000_000

/** Microseconds since the Unix epoch, from Postgres' microseconds since 2000. */
export function readMicros(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4) + POSTGRES_EPOCH_MICROS
}

export function writeMicros(buffer: Buffer, micros: number, at: number): void {
  const since = micros - POSTGRES_EPOCH_MICROS
  const high = Math.floor(since / 2 ** 32)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(since - high * 2 ** 32, at + 4)
}

/** `at` is after the type byte, here and below. */
export function readBegin(buffer: Buffer, at: number): Begin {
  return {
    commitLsn: readLsn(buffer, at),
    commitMicros: readMicros(buffer, at + 8),
    txId: buffer.readUInt32BE(at + 16),
  }
}

/** Where the transaction's commit record ends. */
export function readCommitStop(buffer: Buffer, at: number): number {
  return readLsn(buffer, at + 9)
}

export function readRelation(buffer: Buffer, at: number): Relation {
  const oid = buffer.readUInt32BE(at)
  const [schema, nameStart] = readText(buffer, at + 4)
  const [name, identityStart] = readText(buffer, nameStart)
  const columns: RelationColumn[] = []
  const columnCount = buffer.readUInt16BE(identityStart + 1)
  for (let index = 0, next = identityStart + 3; index < columnCount; index++) {
    const isKey = (buffer[next] & 1) === 1
    const [columnName, typeStart] = readText(buffer, next + 1)
    columns.push({
      name: columnName,
      typeOid: buffer.readUInt32BE(typeStart),
      modifier: buffer.readInt32BE(typeStart + 4),
      isKey,
    })
    next = typeStart + 8
  }
  // An empty namespace stands for pg_catalog.
  return { oid, schema: schema === '' ? 'pg_catalog' : schema, name, columns }
}

export function readTruncatedOids(buffer: Buffer, at: number): number[] {
  const count = buffer.readUInt32BE(at)
  return Array.from({ length: count }, (_, index) => buffer.readUInt32BE(at + 5 + index * 4))
}

function readText(buffer: Buffer, start: number): [string, number] {
  const stop = buffer.indexOf(0, start)
  return [buffer.toString('utf8', start, stop), stop + 1]
}

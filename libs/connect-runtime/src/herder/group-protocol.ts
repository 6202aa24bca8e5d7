import { connectErrors } from '../errors'

/** Task number that stands for the connector itself in an assignment. */
export const CONNECTOR_TASK = -1

/** Protocols of the `connect` group with the version that each writes: newest first, as they are offered. */
export const GROUP_PROTOCOLS = [
  { name: 'sessioned', version: 2 },
  { name: 'compatible', version: 1 },
  { name: 'default', version: 0 },
] as const
export type GroupProtocol = (typeof GROUP_PROTOCOLS)[number]['name']

/** Connector name to task numbers, `CONNECTOR_TASK` for the connector itself. */
export type Allocation = ReadonlyMap<string, readonly number[]>

/** What a worker tells the group when it joins. */
export interface WorkerMetadata {
  readonly url: string
  /** Offset after the last record of the config topic that the worker has read. */
  readonly configOffset: number
  /** What it runs now; null before its first assignment and in the `default` protocol. */
  readonly current: WorkerAssignment | null
}

/** What the leader tells a worker. */
export interface WorkerAssignment {
  /** 0, or 1 if the worker must read the config topic further and join again. */
  readonly error: number
  readonly leaderId: string
  readonly leaderUrl: string
  readonly configOffset: number
  /** In `default` all that the worker is to run, in the others what it is to run in addition. */
  readonly assigned: Allocation
  /** What it must stop; empty in `default`. */
  readonly revoked: Allocation
  readonly delayMs: number
}

export const CONFIG_MISMATCH = 1
export const NO_ALLOCATION: Allocation = new Map()

export function encodeMetadata(protocol: GroupProtocol, metadata: WorkerMetadata): Buffer {
  const version = versionOf(protocol)
  const parts = [int16(version), text(metadata.url), int64(metadata.configOffset)]
  if (version > 0) {
    const current = metadata.current === null ? null : encodeAssignment(protocol, metadata.current)
    parts.push(current === null ? int32(-1) : Buffer.concat([int32(current.length), current]))
  }
  return Buffer.concat(parts)
}

/** @throws CONNECT_BAD_GROUP_DATA */
export function decodeMetadata(bytes: Buffer): WorkerMetadata {
  return reading('metadata', () => {
    const reader = new Reader(bytes)
    const version = reader.int16()
    const url = reader.text()
    const configOffset = reader.int64()
    const current = version > 0 && reader.hasMore ? reader.nullableBytes() : null
    return { url, configOffset, current: current === null ? null : decodeAssignment(current) }
  })
}

export function encodeAssignment(protocol: GroupProtocol, assignment: WorkerAssignment): Buffer {
  const version = versionOf(protocol)
  const parts = [
    int16(version),
    int16(assignment.error),
    text(assignment.leaderId),
    text(assignment.leaderUrl),
    int64(assignment.configOffset),
    allocation(assignment.assigned),
  ]
  if (version > 0) parts.push(allocation(assignment.revoked), int32(assignment.delayMs))
  return Buffer.concat(parts)
}

/** @throws CONNECT_BAD_GROUP_DATA */
export function decodeAssignment(bytes: Buffer): WorkerAssignment {
  return reading('an assignment', () => {
    const reader = new Reader(bytes)
    const version = reader.int16()
    const error = reader.int16()
    const leaderId = reader.text()
    const leaderUrl = reader.text()
    const configOffset = reader.int64()
    const assigned = reader.allocation()
    const isExtended = version > 0 && reader.hasMore
    const revoked = isExtended ? reader.allocation() : NO_ALLOCATION
    const delayMs = isExtended && reader.hasMore ? reader.int32() : 0
    return { error, leaderId, leaderUrl, configOffset, assigned, revoked, delayMs }
  })
}

function versionOf(protocol: GroupProtocol): number {
  return GROUP_PROTOCOLS.find(({ name }) => name === protocol)!.version
}

function int16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2)
  buffer.writeInt16BE(value)
  return buffer
}
function int32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4)
  buffer.writeInt32BE(value)
  return buffer
}
function int64(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer
}
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([int16(bytes.length), bytes])
}
function allocation(value: Allocation): Buffer {
  const parts = [int32(value.size)]
  for (const [connector, tasks] of value) {
    parts.push(text(connector), int32(tasks.length), ...tasks.map(int32))
  }
  return Buffer.concat(parts)
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw connectErrors.create('CONNECT_BAD_GROUP_DATA', { what }, { cause })
  }
}

/** Bounds are checked by Buffer's own reads, which throw RangeError. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  get hasMore(): boolean {
    return this.#at < this.#bytes.length
  }
  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2))
  }
  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }
  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#advance(8)))
  }
  text(): string {
    const length = this.int16()
    const start = this.#advance(length)
    return this.#bytes.toString('utf8', start, start + length)
  }
  nullableBytes(): Buffer | null {
    const length = this.int32()
    if (length < 0) return null
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }
  /** A null array is an empty one. */
  allocation(): Allocation {
    const connectors = new Map<string, readonly number[]>()
    for (let remaining = this.int32(); remaining > 0; remaining -= 1) {
      const connector = this.text()
      const tasks: number[] = []
      for (let count = this.int32(); count > 0; count -= 1) tasks.push(this.int32())
      connectors.set(connector, [...(connectors.get(connector) ?? []), ...tasks])
    }
    return connectors
  }
  #advance(length: number): number {
    const start = this.#at
    if (length < 0 || start + length > this.#bytes.length) throw new RangeError('cut short')
    this.#at += length
    return start
  }
}

import { crc32c } from '@millrace/base'
import { logErrors } from './errors'
import type { ProducerEntry } from './producer-state'

/**
 * Kafka's `.snapshot`: the producers of a log as of the offset in the file's name.
 * int16 version, uint32 crc of all that follows, int32 count, entries of 46 bytes.
 */
const VERSION = 1
const CRC_AT = 2
const CONTENT_AT = 6
const ENTRIES_AT = 10
const ENTRY_BYTES = 46

/** Only the last batch of each producer is kept, as in Kafka: older duplicates are not known after a restart. */
export function encodeSnapshot(entries: readonly ProducerEntry[]): Buffer {
  const buffer = Buffer.alloc(ENTRIES_AT + entries.length * ENTRY_BYTES)
  buffer.writeInt16BE(VERSION, 0)
  buffer.writeInt32BE(entries.length, CONTENT_AT)
  entries.forEach((entry, index) => writeEntry(buffer, ENTRIES_AT + index * ENTRY_BYTES, entry))
  buffer.writeUInt32BE(crc32c(buffer, CONTENT_AT), CRC_AT)
  return buffer
}

/** @throws PlatformError LOG_CORRUPT_FILE */
export function decodeSnapshot(file: string, buffer: Buffer): ProducerEntry[] {
  const fail = (reason: string) => logErrors.create('LOG_CORRUPT_FILE', { file, reason })
  if (buffer.length < ENTRIES_AT) throw fail('it is cut short')
  if (buffer.readInt16BE(0) !== VERSION) throw fail(`its version is ${buffer.readInt16BE(0)}`)
  if (buffer.readUInt32BE(CRC_AT) !== crc32c(buffer, CONTENT_AT))
    throw fail('its checksum is wrong')
  const count = buffer.readInt32BE(CONTENT_AT)
  if (buffer.length !== ENTRIES_AT + count * ENTRY_BYTES) throw fail('its size is wrong')
  return Array.from({ length: count }, (_, index) =>
    readEntry(buffer, ENTRIES_AT + index * ENTRY_BYTES),
  )
}

function writeEntry(buffer: Buffer, at: number, entry: ProducerEntry): void {
  const last = entry.batches.at(-1)
  buffer.writeBigInt64BE(BigInt(entry.producerId), at)
  buffer.writeInt16BE(entry.epoch, at + 8)
  buffer.writeInt32BE(last?.lastSequence ?? -1, at + 10)
  buffer.writeBigInt64BE(BigInt(last?.lastOffset ?? -1), at + 14)
  buffer.writeInt32BE(last?.offsetDelta ?? 0, at + 22)
  buffer.writeBigInt64BE(BigInt(entry.lastTimestamp), at + 26)
  buffer.writeInt32BE(entry.coordinatorEpoch, at + 34)
  buffer.writeBigInt64BE(BigInt(entry.currentTxnFirstOffset), at + 38)
}

function readEntry(buffer: Buffer, at: number): ProducerEntry {
  const lastOffset = Number(buffer.readBigInt64BE(at + 14))
  const timestamp = Number(buffer.readBigInt64BE(at + 26))
  const last = {
    lastSequence: buffer.readInt32BE(at + 10),
    lastOffset,
    offsetDelta: buffer.readInt32BE(at + 22),
    timestamp,
  }
  return {
    producerId: Number(buffer.readBigInt64BE(at)),
    epoch: buffer.readInt16BE(at + 8),
    coordinatorEpoch: buffer.readInt32BE(at + 34),
    lastTimestamp: timestamp,
    currentTxnFirstOffset: Number(buffer.readBigInt64BE(at + 38)),
    batches: lastOffset < 0 ? [] : [last],
  }
}

import { BatchBuilder } from './batch-builder'
import type { RecordCursor } from './record-cursor'

/** What a control record says; it is the broker's own and never delivered to applications. */
export const ControlType = { abort: 0, commit: 1 } as const
export type ControlType = (typeof ControlType)[keyof typeof ControlType]

const KEY_VERSION = 0
const KEY_BYTES = 4
const VALUE_VERSION = 0
const VALUE_BYTES = 6

export interface ControlBatchFields {
  readonly type: ControlType
  readonly timestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly leaderEpoch?: number
}

/**
 * The batch that ends a transaction in one partition: a single record, never compressed, without a
 * sequence.
 */
export function buildControlBatch(fields: ControlBatchFields): Buffer {
  const key = Buffer.alloc(KEY_BYTES)
  key.writeInt16BE(KEY_VERSION, 0)
  key.writeInt16BE(fields.type, 2)
  const value = Buffer.alloc(VALUE_BYTES)
  value.writeInt16BE(VALUE_VERSION, 0)
  value.writeInt32BE(fields.coordinatorEpoch, 2)
  const builder = new BatchBuilder({ initialBytes: 128 })
  builder.append(fields.timestamp, key, value)
  return builder.build({
    leaderEpoch: fields.leaderEpoch,
    producerId: fields.producerId,
    producerEpoch: fields.producerEpoch,
    isTransactional: true,
    isControl: true,
  })
}

/**
 * The type of the cursor's record, to be asked in control batches only; -1 if its key is none we
 * could read.
 */
export function controlType(cursor: RecordCursor): number {
  const key = cursor.key()
  if (key === null || key.length < KEY_BYTES || key.readInt16BE(0) < KEY_VERSION) return -1
  return key.readInt16BE(2)
}

import { batch, controlType, ControlType, RecordCursor } from '@millrace/record'

const COORDINATOR_EPOCH_AT = 2
const VALUE_MIN_BYTES = 6

/** What a control batch says that ends a transaction. */
export interface Marker {
  readonly coordinatorEpoch: number
  readonly isCommit: boolean
}

/** The marker in a control batch; null if compaction has emptied the batch, or if it is control of another kind. */
export function readMarker(buffer: Buffer, at: number): Marker | null {
  if (batch.recordCount(buffer, at) === 0) return null
  const cursor = new RecordCursor()
  cursor.open(buffer, at)
  if (!cursor.next()) return null
  const type = controlType(cursor)
  const value = cursor.value()
  const isMarker = type === ControlType.abort || type === ControlType.commit
  if (!isMarker || value === null || value.length < VALUE_MIN_BYTES) return null
  return {
    coordinatorEpoch: value.readInt32BE(COORDINATOR_EPOCH_AT),
    isCommit: type === ControlType.commit,
  }
}

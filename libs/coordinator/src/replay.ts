import { batch, controlType, ControlType, nextBatchSize, RecordCursor } from '@millrace/record'
import { type CoordinatorLog, OFFSETS_TOPIC } from './coordinator-log'
import { decodeRecord, type GroupRecord } from './records/codec'

/** Takes in what a partition of the offsets topic holds. */
export interface ReplayTarget {
  /** Whether the rest is not wanted any more. */
  isClosed(): boolean
  /** `producerId` is that of the transaction that the record belongs to; -1 outside of transactions. */
  onRecord(record: GroupRecord, producerId: number): void
  onMarker(marker: { producerId: number; isCommit: boolean }): void
}

/** Reads a partition from its beginning to its end. Resolves with the number of records. @throws ProtocolError, WIRE_* */
export async function replay(
  log: CoordinatorLog,
  partition: number,
  target: ReplayTarget,
): Promise<number> {
  const cursor = new RecordCursor()
  let recordCount = 0
  for (let fromOffset = 0; ; ) {
    const { records, nextOffset } = await log.read(OFFSETS_TOPIC, partition, fromOffset)
    if (records.length === 0 || target.isClosed()) return recordCount
    for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
      cursor.open(records, at)
      recordCount += replayBatch(cursor, target, {
        isControl: batch.isControl(records, at),
        producerId: batch.isTransactional(records, at) ? batch.producerId(records, at) : -1,
      })
    }
    fromOffset = nextOffset
  }
}

function replayBatch(
  cursor: RecordCursor,
  target: ReplayTarget,
  { isControl, producerId }: { isControl: boolean; producerId: number },
): number {
  let recordCount = 0
  for (; cursor.next(); recordCount++) {
    if (isControl) {
      target.onMarker({ producerId, isCommit: controlType(cursor) === ControlType.commit })
      continue
    }
    const key = cursor.key()
    const record = key && decodeRecord({ key, value: cursor.value() })
    if (record) target.onRecord(record, producerId)
  }
  return recordCount
}

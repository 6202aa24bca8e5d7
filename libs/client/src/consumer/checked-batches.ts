import { errorMessage } from '@millrace/base'
import { batch, nextBatchSize, recordErrors } from '@millrace/record'
import { clientErrors } from '../errors'
import type { FetchedBatches } from '../options'

export interface CheckedBatches {
  /** Views of the fetched bytes; more than one if batches in between were left out. */
  readonly runs: readonly FetchedBatches[]
  /** Where to go on: past everything that was looked at. */
  readonly nextOffset: number
}

/**
 * Cuts fetched bytes to whole batches, checks their sums and leaves out those that `isLeftOut` names. Damage ends the
 * result before it, so that the next fetch begins there. @throws CLIENT_CORRUPT_BATCH if the first batch is damaged
 */
export function checkBatches(
  fetched: FetchedBatches,
  isLeftOut: (records: Buffer, at: number) => boolean,
): CheckedBatches {
  const { records } = fetched
  const runs: FetchedBatches[] = []
  let run = { startAt: 0, fromOffset: fetched.fromOffset }
  let nextOffset = fetched.fromOffset
  const closeRun = (at: number) => {
    const { startAt, fromOffset } = run
    if (at > startAt) runs.push({ ...fetched, records: records.subarray(startAt, at), fromOffset })
  }
  let at = 0
  while (at < records.length) {
    const sizeBytes = soundBatchBytes(fetched, at)
    if (sizeBytes < 0) break
    nextOffset = Math.max(nextOffset, batch.nextOffset(records, at))
    if (isLeftOut(records, at)) {
      closeRun(at)
      run = { startAt: at + sizeBytes, fromOffset: nextOffset }
    }
    at += sizeBytes
  }
  closeRun(at)
  return { runs, nextOffset }
}

/** Size of the batch at `at`; -1 if it is cut short, or damaged and not the first one. */
function soundBatchBytes(
  { topic, partition, records, fromOffset }: FetchedBatches,
  at: number,
): number {
  try {
    const sizeBytes = nextBatchSize(records, at)
    if (sizeBytes >= 0 && !batch.isCrcValid(records, at)) {
      throw recordErrors.create('RECORD_BAD_CRC', {
        position: at,
        actual: batch.computeCrc(records, at),
        expected: batch.crc(records, at),
      })
    }
    return sizeBytes
  } catch (cause) {
    if (at > 0) return -1
    const reason = errorMessage(cause)
    const params = { topic, partition, offset: fromOffset, reason }
    throw clientErrors.create('CLIENT_CORRUPT_BATCH', params, { cause })
  }
}

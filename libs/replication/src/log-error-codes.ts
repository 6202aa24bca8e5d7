import { errorCode, errorMessage } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'

/** Which wire error a failure of the log becomes. A code that is not listed is ours alone: UNKNOWN_SERVER_ERROR. */
export const wireCodeByLogError: Readonly<Record<string, number>> = {
  LOG_CORRUPT_BATCH: ErrorCode.CORRUPT_MESSAGE,
  LOG_BATCH_TOO_LARGE: ErrorCode.MESSAGE_TOO_LARGE,
  LOG_BATCH_ABOVE_SEGMENT: ErrorCode.RECORD_LIST_TOO_LARGE,
  LOG_INVALID_RECORD: ErrorCode.INVALID_RECORD,
  // Kafka has no better word for what its decompressor throws; clients do not send it again.
  LOG_UNREADABLE_RECORDS: ErrorCode.UNKNOWN_SERVER_ERROR,
  LOG_INVALID_TIMESTAMP: ErrorCode.INVALID_TIMESTAMP,
  LOG_INVALID_TXN_STATE: ErrorCode.INVALID_TXN_STATE,
  LOG_COORDINATOR_FENCED: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
  LOG_OUT_OF_ORDER_SEQUENCE: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  LOG_INVALID_PRODUCER_EPOCH: ErrorCode.INVALID_PRODUCER_EPOCH,
  LOG_CLOSED: ErrorCode.NOT_LEADER_OR_FOLLOWER,
  LOG_TRUNCATED_BELOW_RECOVERY_POINT: ErrorCode.KAFKA_STORAGE_ERROR,
  LOG_OFFSET_OUT_OF_RANGE: ErrorCode.OFFSET_OUT_OF_RANGE,
  LOG_STORAGE_FAILED: ErrorCode.KAFKA_STORAGE_ERROR,
  LOG_DISK_FULL: ErrorCode.KAFKA_STORAGE_ERROR,
  LOG_NOT_FOUND: ErrorCode.REPLICA_NOT_AVAILABLE,
  LOG_DIRECTORY_UNKNOWN: ErrorCode.LOG_DIR_NOT_FOUND,
  LOG_MOVE_FAILED: ErrorCode.KAFKA_STORAGE_ERROR,
}

export interface WireFailure {
  readonly errorCode: number
  readonly errorMessage: string
}

/** The wire error for anything that an append to, or a read of, a log threw. */
export function toWireFailure(error: unknown): WireFailure {
  const code = errorCode(error) ?? ''
  return {
    errorCode: wireCodeByLogError[code] ?? fallback(code),
    errorMessage: errorMessage(error),
  }
}

/** Whether a failure is of those that a log is meant to have: all others are faults of ours. */
export function isLogFailure(error: unknown): boolean {
  return (errorCode(error) ?? '') in wireCodeByLogError
}

function fallback(code: string): number {
  if (code.startsWith('RECORD_')) return ErrorCode.CORRUPT_MESSAGE
  if (code === 'REPLICATION_LOG_NOT_OPENED') return ErrorCode.KAFKA_STORAGE_ERROR
  return ErrorCode.UNKNOWN_SERVER_ERROR
}

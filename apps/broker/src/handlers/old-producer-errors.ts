import { ErrorCode } from '@millrace/wire'

/** Producers of before Kafka 2.7 know no PRODUCER_FENCED, and take an invalid epoch for the same. */
export function knownToOldClients(errorCode: number): number {
  return errorCode === ErrorCode.PRODUCER_FENCED ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode
}

import { errorCode } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import type { ControllerErrorCode } from './errors'

/** What a Kafka client is told for each error of the controller. */
export const controllerErrorCodes: Readonly<Record<ControllerErrorCode, number>> = {
  CONTROLLER_INVALID_TOPIC_NAME: ErrorCode.INVALID_TOPIC_EXCEPTION,
  CONTROLLER_TOPIC_NAME_COLLIDES: ErrorCode.INVALID_TOPIC_EXCEPTION,
  CONTROLLER_TOPIC_EXISTS: ErrorCode.TOPIC_ALREADY_EXISTS,
  CONTROLLER_UNKNOWN_TOPIC: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  CONTROLLER_UNKNOWN_TOPIC_ID: ErrorCode.UNKNOWN_TOPIC_ID,
  CONTROLLER_INVALID_PARTITIONS: ErrorCode.INVALID_PARTITIONS,
  CONTROLLER_INVALID_REPLICATION_FACTOR: ErrorCode.INVALID_REPLICATION_FACTOR,
  CONTROLLER_INVALID_ASSIGNMENT: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
  CONTROLLER_INVALID_REQUEST: ErrorCode.INVALID_REQUEST,
  CONTROLLER_INVALID_CONFIG: ErrorCode.INVALID_CONFIG,
  CONTROLLER_UNKNOWN_BROKER: ErrorCode.BROKER_ID_NOT_REGISTERED,
  CONTROLLER_BROKER_IN_USE: ErrorCode.INVALID_REQUEST,
  CONTROLLER_CONTENTION: ErrorCode.REQUEST_TIMED_OUT,
  CONTROLLER_BAD_METADATA: ErrorCode.UNKNOWN_SERVER_ERROR,
  CONTROLLER_CLOSED: ErrorCode.NOT_CONTROLLER,
}

/** The Kafka error code for anything that a method of the controller threw; the store's failures are UNKNOWN_SERVER_ERROR. */
export function controllerErrorCode(error: unknown): number {
  const code = errorCode(error)
  return code !== undefined && Object.hasOwn(controllerErrorCodes, code)
    ? controllerErrorCodes[code as ControllerErrorCode]
    : ErrorCode.UNKNOWN_SERVER_ERROR
}

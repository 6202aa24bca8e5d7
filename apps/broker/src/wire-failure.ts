import { errorCode } from '@millrace/base'
import { controllerErrorCode } from '@millrace/controller'
import { toWireFailure, type WireFailure } from '@millrace/replication'

/** The wire error of anything that the engine threw: the controller's errors name theirs, the log's are mapped. */
export function wireFailureOf(error: unknown): WireFailure {
  const failure = toWireFailure(error)
  const isControllers = errorCode(error)?.startsWith('CONTROLLER_') ?? false
  return isControllers ? { ...failure, errorCode: controllerErrorCode(error) } : failure
}

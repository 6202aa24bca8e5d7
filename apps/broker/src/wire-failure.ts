import { errorCode } from '@millrace/base'
import { controllerErrorCode } from '@millrace/controller'
import { toWireFailure, type WireFailure } from '@millrace/replication'
import { ProtocolError } from '@millrace/wire'

/** The wire error of anything that the engine threw: a protocol error is one, the controller's name theirs, the log's are mapped. */
export function wireFailureOf(error: unknown): WireFailure {
  if (error instanceof ProtocolError)
    return { errorCode: error.errorCode, errorMessage: error.message }
  const failure = toWireFailure(error)
  const isControllers = errorCode(error)?.startsWith('CONTROLLER_') ?? false
  return isControllers ? { ...failure, errorCode: controllerErrorCode(error) } : failure
}

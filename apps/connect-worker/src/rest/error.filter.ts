import { errorCode, errorMessage } from '@millrace/base'
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import type { FastifyReply } from 'fastify'

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  CONNECT_CONNECTOR_NOT_FOUND: 404,
  CONNECT_TASK_NOT_FOUND: 404,
  CONNECT_PLUGIN_NOT_FOUND: 404,
  CONNECT_ALREADY_EXISTS: 409,
  CONNECT_REBALANCING: 409,
  CONNECT_NOT_LEADER: 409,
  CONNECT_INVALID_CONFIG: 400,
  CONNECT_BAD_REQUEST: 400,
  CONNECT_NOT_STOPPED: 400,
  CONNECT_PLACEHOLDER: 400,
  CONNECT_TIMED_OUT: 500,
  CONNECT_STOPPING: 503,
}

/** Every error, also those of unknown paths and unreadable bodies, in Connect's shape: `{"error_code","message"}`. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const status = statusOf(error)
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    void reply.status(status).send({ error_code: status, message: messageOf(error, status) })
  }
}

function statusOf(error: unknown): number {
  const byCode = STATUS_BY_CODE[errorCode(error) ?? '']
  if (byCode !== undefined) return byCode
  if (error instanceof HttpException) return error.getStatus()
  // Fastify's own errors (body is no JSON, too large, of another type) carry their status.
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}

function messageOf(error: unknown, status: number): string {
  if (status === 404 && error instanceof HttpException) return 'HTTP 404 Not Found'
  return errorMessage(error)
}

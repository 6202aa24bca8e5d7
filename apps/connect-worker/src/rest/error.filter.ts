import { errorCode, errorMessage } from '@millrace/base'
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RouteTable } from './route-table'

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
  readonly #routes: RouteTable

  constructor(routes: RouteTable) {
    this.#routes = routes
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const reply = http.getResponse<FastifyReply>()
    const status = statusOf(error)
    if (status === 404 && error instanceof HttpException) {
      this.#sendNoSuchRoute(http.getRequest<FastifyRequest>(), reply)
      return
    }
    void reply.status(status).send({ error_code: status, message: errorMessage(error) })
  }

  #sendNoSuchRoute({ method, url }: FastifyRequest, reply: FastifyReply): void {
    const allowed = this.#routes.methodsOf(url)
    if (allowed.length === 0 || allowed.includes(method)) {
      void reply.status(404).send({ error_code: 404, message: 'HTTP 404 Not Found' })
      return
    }
    const body = { error_code: 405, message: 'HTTP 405 Method Not Allowed' }
    void reply.status(405).header('allow', allowed.join(', ')).send(body)
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

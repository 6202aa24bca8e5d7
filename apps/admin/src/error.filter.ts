import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common'
import { errorMessage, PlatformError } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'

interface Reply {
  status(code: number): Reply
  send(body: unknown): void
}

/** Every error leaves as `{ code, message, todo }`: 503 for what may pass by itself, 500 for the rest. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<Reply>()
    if (error instanceof HttpException) {
      const status = error.getStatus()
      reply.status(status).send({ code: `HTTP_${status}`, message: error.message, todo: null })
      return
    }
    const known = error instanceof PlatformError ? error : null
    if (known === null) this.#logger.error('admin request failed', { error })
    reply.status(known?.retriable ? 503 : 500).send({
      code: known?.code ?? 'ADMIN_INTERNAL',
      message: errorMessage(error),
      todo: known?.todo ?? null,
    })
  }
}

import { Controller, Get, NotFoundException, Res } from '@nestjs/common'
import { MetricsSource } from './metrics-source'

/** What a controller needs of the reply; Fastify's has it. */
interface Reply {
  header(name: string, value: string): Reply
  send(body: string): void
}

/** `GET /metrics`: those of the broker that runs in the same process. */
@Controller('metrics')
export class MetricsController {
  readonly #source: MetricsSource

  constructor(source: MetricsSource) {
    this.#source = source
  }

  @Get()
  async get(@Res() reply: Reply): Promise<void> {
    const { metrics } = this.#source
    if (metrics === null) throw new NotFoundException('no broker runs in this process')
    const text = await metrics.expose()
    reply.header('content-type', metrics.contentType).send(text)
  }
}

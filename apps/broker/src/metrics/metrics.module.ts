import { Controller, Get, Inject, Module, Res, type DynamicModule } from '@nestjs/common'
import { Metrics } from '@millrace/telemetry'

/** What a controller needs of the reply; Fastify's has it. */
interface Reply {
  header(name: string, value: string): Reply
  send(body: string): void
}

/** `GET /metrics`, for Prometheus. */
@Controller('metrics')
export class MetricsController {
  readonly #metrics: Metrics

  constructor(@Inject(Metrics) metrics: Metrics) {
    this.#metrics = metrics
  }

  @Get()
  async get(@Res() reply: Reply): Promise<void> {
    const text = await this.#metrics.expose()
    reply.header('content-type', this.#metrics.contentType).send(text)
  }
}

@Module({})
export class MetricsModule {
  static register(metrics: Metrics): DynamicModule {
    return {
      module: MetricsModule,
      controllers: [MetricsController],
      providers: [{ provide: Metrics, useValue: metrics }],
    }
  }
}

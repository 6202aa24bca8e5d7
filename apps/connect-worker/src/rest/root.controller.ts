import { DistributedHerder } from '@millrace/connect-runtime'
import { Controller, Get, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'

/** The Kafka Connect release whose REST API this is. */
const VERSION = '4.3.0'
const COMMIT = 'millrace'
const STATUS_OF_HEALTH = { healthy: 200, starting: 503, unhealthy: 500 } as const

@Controller()
export class RootController {
  readonly #herder: DistributedHerder

  constructor(herder: DistributedHerder) {
    this.#herder = herder
  }

  @Get()
  root() {
    return { version: VERSION, commit: COMMIT, kafka_cluster_id: this.#herder.clusterId }
  }

  @Get('health')
  health(@Res({ passthrough: true }) reply: FastifyReply) {
    const health = this.#herder.health()
    reply.status(STATUS_OF_HEALTH[health.status])
    return health
  }
}

import { Controller, Get, NotFoundException, Param } from '@nestjs/common'
import { ClusterReader } from './cluster-reader'

/** `GET /api/topics` and `GET /api/topics/:name`. */
@Controller('api/topics')
export class TopicsController {
  readonly #cluster: ClusterReader

  constructor(cluster: ClusterReader) {
    this.#cluster = cluster
  }

  @Get()
  async list() {
    return { topics: await this.#cluster.topics() }
  }

  @Get(':name')
  async get(@Param('name') name: string) {
    const topic = await this.#cluster.topic(name)
    if (topic === null) throw new NotFoundException(`there is no topic '${name}'`)
    return topic
  }
}

import { Controller, Get } from '@nestjs/common'
import { ClusterReader } from './cluster-reader'

/** `GET /api/cluster`: id, controller and brokers. */
@Controller('api/cluster')
export class ClusterController {
  readonly #cluster: ClusterReader

  constructor(cluster: ClusterReader) {
    this.#cluster = cluster
  }

  @Get()
  describe() {
    return this.#cluster.cluster()
  }
}

import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common'
import { ClusterController } from './cluster.controller'
import { ClusterReader } from './cluster-reader'
import { ConnectReader } from './connect-reader'
import { ConnectorsController } from './connectors.controller'
import { MetricsController } from './metrics.controller'
import { MetricsSource } from './metrics-source'
import { TopicsController } from './topics.controller'
import { UiController } from './ui.controller'

export interface AdminSources {
  readonly cluster: ClusterReader
  readonly connect: ConnectReader
  readonly metrics: MetricsSource
}

@Module({})
export class AdminModule implements OnApplicationShutdown {
  readonly #cluster: ClusterReader

  constructor(cluster: ClusterReader) {
    this.#cluster = cluster
  }

  static register({ cluster, connect, metrics }: AdminSources): DynamicModule {
    return {
      module: AdminModule,
      controllers: [
        ClusterController,
        TopicsController,
        ConnectorsController,
        MetricsController,
        UiController,
      ],
      providers: [
        { provide: ClusterReader, useValue: cluster },
        { provide: ConnectReader, useValue: connect },
        { provide: MetricsSource, useValue: metrics },
      ],
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#cluster.close()
  }
}

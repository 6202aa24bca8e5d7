import { DistributedHerder, PluginRegistry } from '@millrace/connect-runtime'
import { Module, type DynamicModule } from '@nestjs/common'
import { ConnectorsController } from './rest/connectors.controller'
import { PluginsController } from './rest/plugins.controller'
import { RootController } from './rest/root.controller'
import { TasksController } from './rest/tasks.controller'

@Module({})
export class ConnectWorkerModule {
  /** The REST API over an engine that is made before it and outlives it. */
  static over(engine: {
    readonly herder: DistributedHerder
    readonly registry: PluginRegistry
  }): DynamicModule {
    return {
      module: ConnectWorkerModule,
      controllers: [RootController, ConnectorsController, TasksController, PluginsController],
      providers: [
        { provide: DistributedHerder, useValue: engine.herder },
        { provide: PluginRegistry, useValue: engine.registry },
      ],
    }
  }
}

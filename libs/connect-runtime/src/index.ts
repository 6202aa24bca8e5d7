export {
  createConfigProviders,
  resolvePlaceholders,
  type ConfigProvider,
} from './config/config-providers'
export {
  describeConnector,
  describeDefinition,
  type ValidatedKey,
  type Validation,
} from './config/validate'
export { workerConfigDefinition, type WorkerConfig } from './config/worker-config'
export { connectErrors, formatTrace } from './errors'
export { DistributedHerder, type HerderDeps, type HerderOptions } from './herder/distributed-herder'
export type {
  ConnectorInfo,
  ConnectorOffsets,
  ConnectorStateInfo,
  ConnectorType,
  Health,
  RestartOptions,
  StateInfo,
  TargetState,
  TaskInfo,
  TaskStateInfo,
} from './herder/herder'
export { createConverters } from './pipeline/build'
export { entryOf, loadPluginPath } from './plugins/load-path'
export {
  PluginRegistry,
  type ConnectorEntry,
  type PluginDescription,
  type PluginSet,
  type PluginType,
} from './plugins/registry'

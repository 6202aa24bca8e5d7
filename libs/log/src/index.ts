export { type AppendOrigin } from './append'
export {
  brokerSynonyms,
  logConfigDefinition,
  topicDefaultsOfBroker,
  type LogConfig,
} from './config'
export { logErrors } from './errors'
export {
  type AppendOptions,
  type AppendResult,
  type FoundOffset,
  type Log,
  type ReadResult,
} from './log'
export {
  LogManager,
  type LogManagerDeps,
  type LogManagerOptions,
  type LogSpec,
} from './log-manager'
export { logManagerConfigDefinition, type LogManagerConfig } from './manager-config'
export { type ReadLimits } from './segment'
export { TAIL_CACHE_BYTES } from './tail-cache'

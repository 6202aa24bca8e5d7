export { type AppendOrigin } from './append'
export {
  brokerSynonyms,
  logConfigDefinition,
  topicDefaultsOfBroker,
  type LogConfig,
} from './config'
export { logErrors } from './errors'
export { type Log } from './log'
export {
  LogManager,
  type LogManagerDeps,
  type LogManagerOptions,
  type LogSpec,
} from './log-manager'
export {
  type AppendOptions,
  type AppendResult,
  type FoundOffset,
  type ReadResult,
} from './log-types'
export { logManagerConfigDefinition, type LogManagerConfig } from './manager-config'
export { type ReadLimits } from './segment'
export { TAIL_CACHE_BYTES } from './tail-cache'

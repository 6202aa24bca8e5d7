export { type AppendOrigin } from './check-records'
export {
  brokerSynonyms,
  logConfigDefinition,
  topicDefaultsOfBroker,
  type LogConfig,
} from './config'
export { logErrors } from './errors'
export { type Log } from './log'
export { type DirectoryDescription, type LogDescription } from './describe-directories'
export { type LogSpec } from './log-directory'
export { LogManager } from './log-manager'
export {
  type ActiveProducer,
  type AppendOptions,
  type AppendResult,
  type FoundOffset,
  type MarkerOptions,
  type ReadResult,
} from './log-types'
export { logManagerConfigDefinition, type LogManagerConfig } from './manager-config'
export {
  type CreateLogSpec,
  type LogManagerDeps,
  type LogManagerOptions,
} from './manager-types'
export { readBuffers } from './read-buffers'
export { refusedRecordsOf, type RefusedRecord } from './refused-records'
export { type ReadLimits } from './segment'
export { TAIL_CACHE_BYTES } from './tail-cache'
export { type AbortedTransaction } from './txn-index'
export { type VerificationRequest } from './verifications'

export { EmbeddedStore, type EmbeddedStoreOptions } from './embedded-store'
export { coordinationErrors } from './errors'
export type {
  Comparison,
  KeyValue,
  Operation,
  Range,
  Store,
  Transaction,
  TransactionResult,
  Watch,
  WatchEvent,
  WatchListener,
} from './store'

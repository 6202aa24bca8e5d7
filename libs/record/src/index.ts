export {
  batch,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_PREFIX_BYTES,
  type TimestampType,
} from './batch'
export {
  BatchBuilder,
  maxRecordBytes,
  type BatchBuilderOptions,
  type BatchFields,
  type RecordHeader,
} from './batch-builder'
export { BatchRewriter } from './batch-rewriter'
export { checkBatch, checkStoredBatch, nextBatchSize } from './check-batch'
export { Codec, codecName, codecOf, type CodecName } from './compression/codec'
export { compress, decompress } from './compression/compression'
export {
  buildControlBatch,
  controlType,
  ControlType,
  type ControlBatchFields,
} from './control-record'
export { recordErrors } from './errors'
export {
  inspectRecords,
  MAX_LISTED_FAULTS,
  recompressBatch,
  renumberBatch,
  type RecordFault,
  type RecordInspection,
  type RecordRules,
} from './inspect-records'
export { DEFAULT_MAX_DECOMPRESSED_BYTES, RecordCursor } from './record-cursor'

import { int, long, type ConfigOf } from '@millrace/config'
import { cleanerConfigDefinition } from './compaction/cleaner-config'

/** The broker's keys on how its logs are looked after, under Kafka's names and with Kafka's defaults. */
export const logManagerConfigDefinition = {
  ...cleanerConfigDefinition,
  retentionCheckIntervalMs: long('log.retention.check.interval.ms', {
    default: 300_000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two looks for segments that may be deleted.',
  }),
  recoveryPointIntervalMs: int('log.flush.offset.checkpoint.interval.ms', {
    default: 60_000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two saves of the recovery points, from which logs are scanned after a crash.',
  }),
  startOffsetIntervalMs: int('log.flush.start.offset.checkpoint.interval.ms', {
    default: 60_000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two saves of the log start offsets.',
  }),
  highWatermarkIntervalMs: long('replica.high.watermark.checkpoint.interval.ms', {
    default: 5000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two saves of the high watermarks.',
  }),
  producerExpirationMs: int('producer.id.expiration.ms', {
    default: 86_400_000,
    min: 1,
    unit: 'ms',
    scope: 'dynamic',
    doc: 'How long the log remembers an idempotent producer that writes nothing.',
  }),
  producerExpirationCheckIntervalMs: int('producer.id.expiration.check.interval.ms', {
    default: 600_000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two looks for producers that the logs may forget.',
  }),
  moveConcurrency: int('num.replica.alter.log.dirs.threads', {
    default: null,
    min: 1,
    doc: 'How many logs are copied to another log directory at the same time; the others wait. As many as there are directories when absent.',
  }),
  moveMaxBytesPerSecond: long('replica.alter.log.dirs.io.max.bytes.per.second', {
    default: Infinity,
    min: 1,
    unit: 'bytes',
    scope: 'dynamic',
    doc: 'What logs that move to another log directory are copied with in a second at most, all together.',
  }),
  recoveryConcurrency: int('num.recovery.threads.per.data.dir', {
    default: 2,
    min: 1,
    doc: 'How many logs of a directory are opened, and scanned after a crash, at the same time. A change counts from the next start on.',
  }),
}

export type LogManagerConfig = ConfigOf<typeof logManagerConfigDefinition>

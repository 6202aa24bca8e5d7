import {
  boolean,
  double,
  int,
  list,
  long,
  oneOf,
  type ConfigOf,
  type Properties,
} from '@millrace/config'
import { logConfigWithoutEffect, synonymsWithoutEffect } from './config-without-effect'

const WEEK_MS = 604_800_000
const MIB = 1 << 20
const CLEANUP_POLICIES = ['compact', 'delete']

/** The configuration of a topic's logs, under Kafka's names and with Kafka's defaults. */
export const logConfigDefinition = {
  cleanupPolicy: list('cleanup.policy', {
    default: ['delete'],
    scope: 'topic',
    check: (value) =>
      value.every((policy) => CLEANUP_POLICIES.includes(policy)) ? null : 'compact, delete or both',
    doc: 'What happens to old segments: deleted by age and size, compacted by key, or both.',
  }),
  segmentBytes: int('segment.bytes', {
    default: 1 << 30,
    min: MIB,
    unit: 'bytes',
    scope: 'topic',
    doc: 'A new segment begins when the current one would pass this size.',
  }),
  segmentMs: long('segment.ms', {
    default: WEEK_MS,
    min: 1,
    unit: 'ms',
    scope: 'topic',
    doc: 'A new segment begins when the current one is older than this.',
  }),
  segmentJitterMs: long('segment.jitter.ms', {
    default: 0,
    min: 0,
    unit: 'ms',
    scope: 'topic',
    doc: 'Up to this much is taken off segment.ms at random, so that partitions do not roll together.',
  }),
  segmentIndexBytes: int('segment.index.bytes', {
    default: 10 * MIB,
    min: 4,
    unit: 'bytes',
    scope: 'topic',
    doc: 'A new segment begins when an index of the current one has this size.',
  }),
  indexIntervalBytes: int('index.interval.bytes', {
    default: 4096,
    min: 0,
    unit: 'bytes',
    scope: 'topic',
    doc: 'Bytes of batches between two entries of the offset index.',
  }),
  retentionMs: long('retention.ms', {
    default: WEEK_MS,
    min: -1,
    unit: 'ms',
    scope: 'topic',
    doc: 'Segments whose newest record is older are deleted; -1 keeps them. Only with cleanup.policy=delete.',
  }),
  retentionBytes: long('retention.bytes', {
    default: -1,
    min: -1,
    unit: 'bytes',
    scope: 'topic',
    doc: 'The oldest segments of a partition are deleted while the rest holds this much; -1 keeps them.',
  }),
  fileDeleteDelayMs: long('file.delete.delay.ms', {
    default: 60_000,
    min: 0,
    unit: 'ms',
    scope: 'topic',
    doc: 'Time between the deletion of a segment from the log and the removal of its files.',
  }),
  maxMessageBytes: int('max.message.bytes', {
    default: MIB + 12,
    min: 0,
    unit: 'bytes',
    scope: 'topic',
    doc: 'The largest record batch that is accepted, as it is sent (compressed).',
  }),
  messageTimestampType: oneOf('message.timestamp.type', ['CreateTime', 'LogAppendTime'], {
    default: 'CreateTime',
    scope: 'topic',
    doc: 'Whether records keep the time of the producer or get the time at which the log took them.',
  }),
  messageTimestampBeforeMaxMs: long('message.timestamp.before.max.ms', {
    default: Infinity,
    min: 0,
    unit: 'ms',
    scope: 'topic',
    doc: 'How far in the past a CreateTime may be.',
  }),
  messageTimestampAfterMaxMs: long('message.timestamp.after.max.ms', {
    default: 3_600_000,
    min: 0,
    unit: 'ms',
    scope: 'topic',
    doc: 'How far in the future a CreateTime may be.',
  }),
  compressionGzipLevel: int('compression.gzip.level', {
    default: -1,
    min: -1,
    max: 9,
    scope: 'topic',
    doc: 'How hard gzip tries where compression.type is gzip; -1 is its usual level.',
  }),
  compressionZstdLevel: int('compression.zstd.level', {
    default: 3,
    min: -131_072,
    max: 22,
    scope: 'topic',
    doc: 'How hard zstd tries where compression.type is zstd.',
  }),
  compressionType: oneOf(
    'compression.type',
    ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'],
    {
      default: 'producer',
      scope: 'topic',
      doc: 'The codec in which batches are stored: producer leaves them as they come, others are compressed anew.',
    },
  ),
  minInsyncReplicas: int('min.insync.replicas', {
    default: 1,
    min: 1,
    scope: 'topic',
    doc: 'Copies that must hold a batch before acks=all is answered.',
  }),
  minCleanableDirtyRatio: double('min.cleanable.dirty.ratio', {
    default: 0.5,
    min: 0,
    max: 1,
    scope: 'topic',
    doc: 'A log is compacted when more than this part of it was not compacted yet.',
  }),
  minCompactionLagMs: long('min.compaction.lag.ms', {
    default: 0,
    min: 0,
    unit: 'ms',
    scope: 'topic',
    doc: 'How long a record stays at least before compaction may take it.',
  }),
  maxCompactionLagMs: long('max.compaction.lag.ms', {
    default: Infinity,
    min: 1,
    unit: 'ms',
    scope: 'topic',
    doc: 'A log with a record that waits longer for compaction is compacted, whatever part of it is dirty.',
  }),
  deleteRetentionMs: long('delete.retention.ms', {
    default: 86_400_000,
    min: 0,
    unit: 'ms',
    scope: 'topic',
    doc: 'How long compaction keeps the tombstone of a deleted key.',
  }),
  flushMessages: long('flush.messages', {
    default: Infinity,
    min: 1,
    unit: 'records',
    scope: 'topic',
    doc: 'With ack.after.flush=false: records after which the log is synced.',
  }),
  flushMs: long('flush.ms', {
    default: Infinity,
    min: 0,
    unit: 'ms',
    scope: 'topic',
    doc: 'With ack.after.flush=false: time after which the log is synced.',
  }),
  ackAfterFlush: boolean('ack.after.flush', {
    default: true,
    scope: 'topic',
    doc: 'Whether a batch is acknowledged, and seen by consumers, only after it is synced to disk. False is the behaviour of Kafka: in the page cache is enough.',
  }),
  ...logConfigWithoutEffect,
}

export type LogConfig = ConfigOf<typeof logConfigDefinition>

interface BrokerSynonym {
  readonly name: string
  /** One unit of the broker's key in the unit of the topic's key. */
  readonly factor: number
}

const HOURS = 3_600_000
const MINUTES = 60_000

/** For each topic key the broker keys that give its default, the strongest first. */
export const brokerSynonyms: Readonly<Record<string, readonly BrokerSynonym[]>> = {
  'cleanup.policy': [{ name: 'log.cleanup.policy', factor: 1 }],
  'segment.bytes': [{ name: 'log.segment.bytes', factor: 1 }],
  'segment.ms': [
    { name: 'log.roll.ms', factor: 1 },
    { name: 'log.roll.hours', factor: HOURS },
  ],
  'segment.jitter.ms': [
    { name: 'log.roll.jitter.ms', factor: 1 },
    { name: 'log.roll.jitter.hours', factor: HOURS },
  ],
  'segment.index.bytes': [{ name: 'log.index.size.max.bytes', factor: 1 }],
  'index.interval.bytes': [{ name: 'log.index.interval.bytes', factor: 1 }],
  'retention.ms': [
    { name: 'log.retention.ms', factor: 1 },
    { name: 'log.retention.minutes', factor: MINUTES },
    { name: 'log.retention.hours', factor: HOURS },
  ],
  'retention.bytes': [{ name: 'log.retention.bytes', factor: 1 }],
  'file.delete.delay.ms': [{ name: 'log.segment.delete.delay.ms', factor: 1 }],
  'max.message.bytes': [{ name: 'message.max.bytes', factor: 1 }],
  'message.timestamp.type': [{ name: 'log.message.timestamp.type', factor: 1 }],
  'message.timestamp.before.max.ms': [{ name: 'log.message.timestamp.before.max.ms', factor: 1 }],
  'message.timestamp.after.max.ms': [{ name: 'log.message.timestamp.after.max.ms', factor: 1 }],
  'compression.type': [{ name: 'compression.type', factor: 1 }],
  'min.insync.replicas': [{ name: 'min.insync.replicas', factor: 1 }],
  'min.cleanable.dirty.ratio': [{ name: 'log.cleaner.min.cleanable.ratio', factor: 1 }],
  'min.compaction.lag.ms': [{ name: 'log.cleaner.min.compaction.lag.ms', factor: 1 }],
  'max.compaction.lag.ms': [{ name: 'log.cleaner.max.compaction.lag.ms', factor: 1 }],
  'delete.retention.ms': [{ name: 'log.cleaner.delete.retention.ms', factor: 1 }],
  'flush.messages': [{ name: 'log.flush.interval.messages', factor: 1 }],
  'flush.ms': [
    { name: 'log.flush.interval.ms', factor: 1 },
    { name: 'log.flush.scheduler.interval.ms', factor: 1 },
  ],
  'ack.after.flush': [{ name: 'log.ack.after.flush', factor: 1 }],
  ...Object.fromEntries(
    Object.entries(synonymsWithoutEffect).map(([key, name]) => [key, [{ name, factor: 1 }]]),
  ),
}

/**
 * The topic keys that a broker's properties set for every topic, as text for `parseConfig(logConfigDefinition, ...)`;
 * a topic's own properties go over them. Text that is no number passes as it is, so that validation can name it.
 */
export function topicDefaultsOfBroker(properties: Properties): Record<string, string> {
  const defaults: Record<string, string> = {}
  for (const topicKey of Object.keys(brokerSynonyms)) {
    const synonym = brokerSynonyms[topicKey].find(
      ({ name }) => typeof properties[name] === 'string',
    )
    if (synonym === undefined) continue
    const text = properties[synonym.name] as string
    defaults[topicKey] = synonym.factor === 1 ? text : scale(text, synonym.factor)
  }
  return defaults
}

/** Negative numbers mean "no limit" whatever their unit. */
function scale(text: string, factor: number): string {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? String(value * factor) : text
}

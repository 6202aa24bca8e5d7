import { type ConfigOf, int, long } from '@millrace/config'

const MAX_INT = 2 ** 31 - 1

/** The broker's keys for groups and the offsets topic. */
export const groupConfigDefinition = {
  initialRebalanceDelayMs: int('group.initial.rebalance.delay.ms', {
    default: 3000,
    min: 0,
    unit: 'ms',
    doc: 'How long an empty group waits for more members before its first rebalance.',
  }),
  minSessionTimeoutMs: int('group.min.session.timeout.ms', {
    default: 6000,
    min: 0,
    unit: 'ms',
    doc: 'Shortest session timeout that a member may ask for.',
  }),
  maxSessionTimeoutMs: int('group.max.session.timeout.ms', {
    default: 1_800_000,
    min: 0,
    unit: 'ms',
    doc: 'Longest session timeout that a member may ask for.',
  }),
  maxSize: int('group.max.size', {
    default: MAX_INT,
    min: 1,
    doc: 'Most members that a group takes.',
  }),
  offsetsRetentionMinutes: int('offsets.retention.minutes', {
    default: 10_080,
    min: 1,
    unit: 'minutes',
    importance: 'HIGH',
    doc: 'How long committed offsets are kept once their group is empty (or, without a group, once committed).',
  }),
  offsetsRetentionCheckIntervalMs: long('offsets.retention.check.interval.ms', {
    default: 600_000,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'How often expired offsets are looked for.',
  }),
  offsetMetadataMaxBytes: int('offset.metadata.max.bytes', {
    default: 4096,
    min: 0,
    unit: 'bytes',
    importance: 'HIGH',
    doc: 'Longest text that a client may store with an offset.',
  }),
  offsetsTopicPartitions: int('offsets.topic.num.partitions', {
    default: 50,
    min: 1,
    importance: 'HIGH',
    doc: 'Partitions of __consumer_offsets when it is created; must not change later.',
  }),
  offsetsTopicReplicationFactor: int('offsets.topic.replication.factor', {
    default: 3,
    min: 1,
    importance: 'HIGH',
    doc: 'Replicas of __consumer_offsets when it is created.',
  }),
  offsetsTopicSegmentBytes: int('offsets.topic.segment.bytes', {
    default: 104_857_600,
    min: 1,
    unit: 'bytes',
    importance: 'HIGH',
    doc: 'Segment size of __consumer_offsets: small ones are compacted and loaded sooner.',
  }),
} as const
export type GroupOptions = ConfigOf<typeof groupConfigDefinition>

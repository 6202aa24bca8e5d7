import { type ConfigOf, int, list, long, oneOf, short } from '@millrace/config'

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
  offsetsCommitTimeoutMs: int('offsets.commit.timeout.ms', {
    default: 5000,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'How long a request of a group waits for its record to be stored. After that the client is told to ask again; the record is stored all the same.',
  }),
  offsetsTopicPartitions: int('offsets.topic.num.partitions', {
    default: 50,
    min: 1,
    importance: 'HIGH',
    doc: 'Partitions of __consumer_offsets when it is created; must not change later.',
  }),
  offsetsTopicReplicationFactor: short('offsets.topic.replication.factor', {
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
  consumerSessionTimeoutMs: int('group.consumer.session.timeout.ms', {
    default: 45_000,
    min: 1,
    unit: 'ms',
    doc: 'How long a member of a consumer group may be silent.',
  }),
  consumerMinSessionTimeoutMs: int('group.consumer.min.session.timeout.ms', {
    default: 45_000,
    min: 1,
    unit: 'ms',
    doc: 'Shortest session timeout that a group may be given.',
  }),
  consumerMaxSessionTimeoutMs: int('group.consumer.max.session.timeout.ms', {
    default: 60_000,
    min: 1,
    unit: 'ms',
    doc: 'Longest session timeout that a group may be given.',
  }),
  consumerHeartbeatIntervalMs: int('group.consumer.heartbeat.interval.ms', {
    default: 5000,
    min: 1,
    unit: 'ms',
    doc: 'How often members of a consumer group are told to report.',
  }),
  consumerMinHeartbeatIntervalMs: int('group.consumer.min.heartbeat.interval.ms', {
    default: 5000,
    min: 1,
    unit: 'ms',
    doc: 'Shortest heartbeat interval that a group may be given.',
  }),
  consumerMaxHeartbeatIntervalMs: int('group.consumer.max.heartbeat.interval.ms', {
    default: 15_000,
    min: 1,
    unit: 'ms',
    doc: 'Longest heartbeat interval that a group may be given.',
  }),
  consumerAssignmentIntervalMs: int('group.consumer.assignment.interval.ms', {
    default: 1000,
    min: 0,
    unit: 'ms',
    doc: 'Shortest time between two assignments of a consumer group.',
  }),
  consumerMinAssignmentIntervalMs: int('group.consumer.min.assignment.interval.ms', {
    default: 0,
    min: 0,
    unit: 'ms',
    doc: 'Shortest assignment interval that a group may be given.',
  }),
  consumerMaxAssignmentIntervalMs: int('group.consumer.max.assignment.interval.ms', {
    default: 15_000,
    min: 0,
    unit: 'ms',
    doc: 'Longest assignment interval that a group may be given.',
  }),
  consumerRegexRefreshIntervalMs: int('group.consumer.regex.refresh.interval.ms', {
    default: 600_000,
    min: 10_000,
    unit: 'ms',
    doc: 'How often the topics that patterns of a consumer group stand for are looked up again.',
  }),
  consumerMaxSize: int('group.consumer.max.size', {
    default: MAX_INT,
    min: 1,
    doc: 'Most members that a consumer group takes.',
  }),
  consumerAssignors: list('group.consumer.assignors', {
    default: ['uniform', 'range'],
    doc: 'Assignors that members of a consumer group may ask for, by name; the first is the default. Only those of Kafka exist: uniform and range.',
  }),
  consumerMigrationPolicy: oneOf(
    'group.consumer.migration.policy',
    ['bidirectional', 'upgrade', 'downgrade', 'disabled'],
    {
      default: 'bidirectional',
      ignoreCase: true,
      doc: 'Whether groups with members may move from the classic protocol to the consumer protocol (upgrade), back (downgrade), or both.',
    },
  ),
} as const
export type GroupOptions = ConfigOf<typeof groupConfigDefinition>

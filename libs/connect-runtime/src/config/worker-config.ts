import { boolean, className, int, list, long, oneOf, string, type ConfigOf } from '@millrace/config'
import { OVERRIDE_POLICIES, overridePolicyOf } from './override-policy'

const SIMPLE_HEADER_CONVERTER = 'org.apache.kafka.connect.storage.SimpleHeaderConverter'

/** Keys of a distributed worker, with Kafka Connect's defaults. */
export const workerConfigDefinition = {
  bootstrapServers: list('bootstrap.servers', {
    importance: 'HIGH',
    doc: 'host:port of brokers to begin with, comma-separated.',
    check: (servers) =>
      servers.length > 0 && servers.every((server) => /^.+:\d+$/.test(server))
        ? null
        : 'host:port, comma-separated',
  }),
  groupId: string('group.id', {
    importance: 'HIGH',
    doc: 'Names the Connect cluster: workers with the same group.id share the connectors.',
    check: notEmpty,
  }),
  keyConverter: className('key.converter', {
    importance: 'HIGH',
    doc: 'Converter of record keys for connectors that name none.',
  }),
  valueConverter: className('value.converter', {
    importance: 'HIGH',
    doc: 'Converter of record values for connectors that name none.',
  }),
  headerConverter: className('header.converter', {
    default: SIMPLE_HEADER_CONVERTER,
    importance: 'LOW',
    doc: 'Converter of record headers for connectors that name none.',
  }),
  pluginPath: list('plugin.path', {
    default: [],
    importance: 'LOW',
    doc: 'Folders whose subfolders are npm packages that export `plugins`.',
  }),
  configProviders: list('config.providers', {
    default: [],
    importance: 'LOW',
    doc: "Names of config providers; config.providers.<name>.class is each one's class.",
  }),
  configStorageTopic: string('config.storage.topic', {
    importance: 'HIGH',
    doc: 'Topic of connector and task configurations.',
    check: notEmpty,
  }),
  configStorageReplicationFactor: replicationFactor('config.storage.replication.factor'),
  offsetStorageTopic: string('offset.storage.topic', {
    importance: 'HIGH',
    doc: 'Topic of source offsets.',
    check: notEmpty,
  }),
  offsetStoragePartitions: int('offset.storage.partitions', {
    default: 25,
    min: -1,
    importance: 'LOW',
    doc: 'Partitions of the offsets topic when the worker creates it.',
  }),
  offsetStorageReplicationFactor: replicationFactor('offset.storage.replication.factor'),
  statusStorageTopic: string('status.storage.topic', {
    importance: 'HIGH',
    doc: 'Topic of connector and task states.',
    check: notEmpty,
  }),
  statusStoragePartitions: int('status.storage.partitions', {
    default: 5,
    min: -1,
    importance: 'LOW',
    doc: 'Partitions of the status topic when the worker creates it.',
  }),
  statusStorageReplicationFactor: replicationFactor('status.storage.replication.factor'),
  offsetFlushIntervalMs: long('offset.flush.interval.ms', {
    default: 60_000,
    min: 1,
    unit: 'ms',
    importance: 'LOW',
    doc: 'How often the offsets of tasks are stored.',
  }),
  offsetFlushTimeoutMs: long('offset.flush.timeout.ms', {
    default: 5_000,
    min: 1,
    unit: 'ms',
    importance: 'LOW',
    doc: 'How long a stopping task waits until its last records are acknowledged and its offsets stored.',
  }),
  taskShutdownTimeoutMs: long('task.shutdown.graceful.timeout.ms', {
    default: 5_000,
    min: 0,
    unit: 'ms',
    importance: 'LOW',
    doc: 'How long the worker waits for a task to stop before it goes on without it.',
  }),
  connectProtocol: oneOf('connect.protocol', ['eager', 'compatible', 'sessioned'], {
    default: 'sessioned',
    importance: 'LOW',
    doc: 'The newest group protocol to offer.',
  }),
  groupInstanceId: string('group.instance.id', {
    default: null,
    importance: 'LOW',
    doc: 'A name of this worker in the group that stays the same when it is killed and started again: it takes its place back at once.',
  }),
  sessionTimeoutMs: int('session.timeout.ms', {
    default: 10_000,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'A worker that sends no heartbeat for so long leaves the group.',
  }),
  heartbeatIntervalMs: int('heartbeat.interval.ms', {
    default: 3_000,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'Pause between heartbeats to the group coordinator.',
  }),
  rebalanceTimeoutMs: int('rebalance.timeout.ms', {
    default: 60_000,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'How long a worker may take to stop its tasks and rejoin in a rebalance.',
  }),
  clientOverridePolicy: className('connector.client.config.override.policy', {
    default: 'All',
    importance: 'LOW',
    doc: 'Which producer.override.*, consumer.override.* and admin.override.* a connector may set: All, None, Principal (who it logs in as) or Allowlist.',
    check: (name) => (overridePolicyOf(name) === null ? OVERRIDE_POLICIES.join(', ') : null),
  }),
  clientOverrideAllowlist: list('connector.client.config.override.allowlist', {
    default: [],
    importance: 'LOW',
    doc: 'With the policy Allowlist: the settings that a connector may change, without the prefix.',
  }),
  topicCreationEnable: boolean('topic.creation.enable', {
    default: true,
    importance: 'LOW',
    doc: 'Whether the worker creates the topics that source connectors write to.',
  }),
  listeners: list('listeners', {
    default: ['http://:8083'],
    importance: 'LOW',
    doc: 'Address of the REST server: http://host:port; no host means all addresses.',
    check: (listeners) =>
      listeners.length > 0 && listeners.every((one) => /^http:\/\/[^/]*:\d+$/i.test(one))
        ? null
        : 'http://host:port',
  }),
  restPort: int('rest.port', {
    default: null,
    min: 0,
    max: 65_535,
    importance: 'LOW',
    doc: 'Port of the REST server on all addresses, instead of listeners; 0 takes a free one.',
  }),
  restAdvertisedHostName: string('rest.advertised.host.name', {
    default: null,
    importance: 'LOW',
    doc: 'Host under which other workers and people reach this worker.',
  }),
  restAdvertisedPort: int('rest.advertised.port', {
    default: null,
    min: 1,
    max: 65_535,
    importance: 'LOW',
    doc: 'Port that goes with it.',
  }),
} as const

export type WorkerConfig = ConfigOf<typeof workerConfigDefinition>

function replicationFactor<const N extends string>(name: N) {
  return int(name, {
    default: 3,
    min: -1,
    max: 32_767,
    importance: 'LOW',
    doc: "Replicas of the topic when the worker creates it; -1 is the broker's default.",
    check: (value) => (value === 0 ? 'at least 1, or -1' : null),
  })
}

function notEmpty(value: string): string | null {
  return value.trim() === '' ? 'a text that is not empty' : null
}

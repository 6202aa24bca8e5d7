import { boolean, int, list, long, string } from '@millrace/config'
import { groupConfigDefinition, transactionConfigDefinition } from '@millrace/coordinator'
import { logManagerConfigDefinition } from '@millrace/log'
import { quotaConfigDefinition } from '@millrace/quota'
import { aclConfigDefinition } from '@millrace/security'
import { parseHostPort } from './host-port'
import { securityConfigDefinition } from './security/config-keys'

const INT_MAX = 2 ** 31 - 1

/**
 * The broker's keys, under Kafka's names and with Kafka's defaults: its own, those of groups, and those on how the logs are looked after. The
 * `log.*` keys that only set a default for topics are declared by the log library (`brokerSynonyms`).
 */
export const brokerConfigDefinition = {
  ...logManagerConfigDefinition,
  ...groupConfigDefinition,
  ...transactionConfigDefinition,
  ...aclConfigDefinition,
  ...quotaConfigDefinition,
  ...securityConfigDefinition,
  nodeId: int('node.id', {
    default: 1,
    min: 0,
    aliases: ['broker.id'],
    importance: 'HIGH',
    doc: 'The id of this broker. It must not change while the log directory exists.',
  }),
  rack: string('broker.rack', {
    default: null,
    doc: 'Where this broker stands, as clients are told.',
  }),
  listeners: list('listeners', {
    default: ['PLAINTEXT://:9092'],
    importance: 'HIGH',
    doc: 'What to listen on: NAME://host:port, comma separated. An empty host is every address, port 0 any free port. While the broker runs, names can be added, and those that are not advertised removed; another address for a name counts from the next start on.',
  }),
  advertisedListeners: list('advertised.listeners', {
    default: null,
    importance: 'HIGH',
    doc: 'What clients are told to connect to, by listener name. Clients of a listener that it leaves out are told of no broker. Taken from listeners when absent.',
  }),
  listenerSecurityProtocolMap: list('listener.security.protocol.map', {
    default: [
      'SASL_SSL:SASL_SSL',
      'PLAINTEXT:PLAINTEXT',
      'SSL:SSL',
      'SASL_PLAINTEXT:SASL_PLAINTEXT',
    ],
    doc: 'The protocol of each listener name: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.',
  }),
  controllerListenerNames: list('controller.listener.names', {
    default: [],
    doc: 'Listeners of a combined KRaft file that are not for clients: they are left out.',
  }),
  logDirs: list('log.dirs', {
    default: ['/tmp/millrace-logs'],
    aliases: ['log.dir'],
    importance: 'HIGH',
    doc: 'Directories for the logs.',
  }),
  metadataLogDir: string('metadata.log.dir', {
    default: null,
    doc: 'Where the metadata of a single node is kept. The first of log.dirs when absent.',
  }),
  numPartitions: int('num.partitions', {
    default: 1,
    min: 1,
    doc: 'Partitions of a topic that is created without saying how many.',
  }),
  defaultReplicationFactor: int('default.replication.factor', {
    default: 1,
    min: 1,
    doc: 'Replicas of a topic that is created without saying how many.',
  }),
  autoCreateTopicsEnable: boolean('auto.create.topics.enable', {
    default: true,
    importance: 'HIGH',
    doc: 'Whether asking for the metadata of an unknown topic creates it.',
  }),
  deleteTopicEnable: boolean('delete.topic.enable', {
    default: true,
    doc: 'Whether clients may delete topics.',
  }),
  socketRequestMaxBytes: int('socket.request.max.bytes', {
    default: 104_857_600,
    min: 1,
    unit: 'bytes',
    doc: 'The largest request. A larger one closes its connection.',
  }),
  socketListenBacklogSize: int('socket.listen.backlog.size', {
    default: 50,
    min: 1,
    doc: 'Connections that the system holds until they are accepted.',
  }),
  connectionsMaxIdleMs: long('connections.max.idle.ms', {
    default: 600_000,
    min: -1,
    unit: 'ms',
    doc: 'A connection on which nothing moves for this long is closed; -1 keeps it.',
  }),
  maxConnections: int('max.connections', {
    default: INT_MAX,
    min: 0,
    doc: 'Connections in all, or under listener.name.NAME. of one listener; further ones wait until one is closed.',
  }),
  maxConnectionCreationRate: int('max.connection.creation.rate', {
    default: INT_MAX,
    min: 0,
    doc: 'New connections per second, in all or under listener.name.NAME. of one listener; further ones are let in later.',
  }),
  fetchMaxBytes: int('fetch.max.bytes', {
    default: 57_671_680,
    min: 1024,
    unit: 'bytes',
    doc: 'The largest answer to a fetch, whatever the client asks for.',
  }),
  maxIncrementalFetchSessionCacheSlots: int('max.incremental.fetch.session.cache.slots', {
    default: 1000,
    min: 0,
    doc: 'Fetch sessions that are kept at once; readers beyond it name all their partitions in every request.',
  }),
  maxRequestPartitionSizeLimit: int('max.request.partition.size.limit', {
    default: 2000,
    min: 1,
    doc: 'Most partitions in one answer to a client that asks for topics page by page.',
  }),
  metricsHttpListener: string('metrics.http.listener', {
    default: null,
    doc: 'Where /metrics is served for Prometheus, as HOST:PORT; not served when absent.',
    check: (value) => (parseHostPort(value) ? null : 'HOST:PORT with a port up to 65535'),
  }),
  telemetryMaxBytes: int('telemetry.max.bytes', {
    default: 1_048_576,
    min: 1,
    unit: 'bytes',
    importance: 'LOW',
    doc: 'The largest push of metrics that a client may send, as it is sent (compressed).',
  }),
}

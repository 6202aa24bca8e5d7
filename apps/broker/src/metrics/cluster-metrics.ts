import type { MetricFamily } from '@millrace/telemetry'
import type { BrokerServices } from '../services'

/** Kafka's number for a broker that serves. */
const RUNNING = 3

/** What this node leads and keeps, what the cluster has, and the groups that are coordinated here. */
export function clusterMetrics(broker: BrokerServices): MetricFamily[] {
  return [
    ...replicaManagerMetrics(broker),
    ...controllerMetrics(broker),
    ...groupMetrics(broker),
    ...fetchSessionMetrics(broker),
    gauge('kafka_server_kafkaserver_brokerstate', '3: the broker serves.', () => RUNNING),
    {
      name: 'kafka_server_delayedoperationpurgatory_purgatorysize',
      type: 'gauge',
      help: 'Requests that wait for something to happen.',
      labels: ['delayedOperation'],
      read: () => [{ labels: ['Fetch'], value: broker.replicas.waitingFetchCount }],
    },
    {
      name: 'kafka_server_client_metrics_push_total',
      type: 'counter',
      help: 'Pushes of metrics that clients sent.',
      read: () => [{ value: broker.clientTelemetry.pushCount }],
    },
  ]
}

function replicaManagerMetrics(broker: BrokerServices): MetricFamily[] {
  const { replicas } = broker
  const name = (end: string): string => `kafka_server_replicamanager_${end}`
  const count = (test: (partition: ReplicaOf<typeof replicas>) => boolean): number => {
    let found = 0
    for (const partition of replicas.partitions()) if (test(partition)) found += 1
    return found
  }
  return [
    gauge(
      name('partitioncount'),
      'Replicas on this node.',
      () => count(() => true) + countOffline(broker),
    ),
    gauge(name('leadercount'), 'Partitions that this node leads.', () =>
      count(({ isLeader }) => isLeader),
    ),
    gauge(
      name('offlinereplicacount'),
      'Replicas whose directory has failed, or that are damaged.',
      () => count(({ log }) => log.failure !== null) + countOffline(broker),
    ),
    gauge(name('underreplicatedpartitions'), 'Led partitions with a replica that lags.', () =>
      count(({ isLeader, isUnderReplicated }) => isLeader && isUnderReplicated),
    ),
    gauge(name('underminisrpartitioncount'), 'Led partitions that take no acks=all.', () =>
      count((partition) => partition.isLeader && partition.isUnderMinIsr),
    ),
    gauge(name('reassigningpartitions'), 'Partitions on their way elsewhere.', () => 0),
    ...['isrshrinks', 'isrexpands', 'failedisrupdates'].map(
      (end): MetricFamily => ({
        name: name(`${end}_total`),
        type: 'counter',
        help: 'Changes of in-sync replicas; none on a single node.',
        read: () => [{ value: 0 }],
      }),
    ),
  ]
}

/** Replicas that this node should have, in a directory that has failed. */
function countOffline(broker: BrokerServices): number {
  let offline = 0
  for (const { name, partitions } of broker.metadata().topics.values())
    for (const { index } of partitions) if (broker.replicas.isOffline(name, index)) offline += 1
  return offline
}

type ReplicaOf<R extends BrokerServices['replicas']> =
  ReturnType<R['partitions']> extends Iterable<infer P> ? P : never

function controllerMetrics(broker: BrokerServices): MetricFamily[] {
  const name = (end: string): string => `kafka_controller_kafkacontroller_${end}`
  const metadata = () => broker.metadata()
  const partitions = () =>
    Array.from(metadata().topics.values(), (topic) => topic.partitions).flat()
  return [
    gauge(name('activecontrollercount'), '1 where the controller is.', () =>
      metadata().controllerId === broker.nodeId ? 1 : 0,
    ),
    gauge(name('activebrokercount'), 'Brokers.', () => metadata().brokers.length),
    gauge(name('fencedbrokercount'), 'Brokers that are registered and not there.', () => 0),
    gauge(name('globaltopiccount'), 'Topics of the cluster.', () => metadata().topics.size),
    gauge(name('globalpartitioncount'), 'Partitions of the cluster.', () => partitions().length),
    gauge(
      name('offlinepartitionscount'),
      'Partitions without a leader.',
      () => partitions().filter(({ leader }) => leader < 0).length,
    ),
    gauge(
      name('preferredreplicaimbalancecount'),
      'Partitions that another than the preferred replica leads.',
      () => partitions().filter(({ leader, replicas }) => leader !== replicas[0]).length,
    ),
  ]
}

function fetchSessionMetrics({ fetchSessions }: BrokerServices): MetricFamily[] {
  const name = (end: string): string => `kafka_server_fetchsessioncache_${end}`
  return [
    gauge(
      name('numincrementalfetchsessions'),
      'Readers whose partitions are remembered.',
      () => fetchSessions.size,
    ),
    gauge(
      name('numincrementalfetchpartitionscached'),
      'Partitions of those readers.',
      () => fetchSessions.partitionCount,
    ),
    {
      name: name('incrementalfetchsessionevictions_total'),
      type: 'counter',
      help: 'Sessions that made room for others.',
      read: () => [{ value: fetchSessions.evictionCount }],
    },
  ]
}

const GROUP_STATES = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty']

function groupMetrics({ groups }: BrokerServices): MetricFamily[] {
  const count = (statesFilter: string[]): number =>
    groups.listGroups({ statesFilter, typesFilter: [] }).groups.length
  return [
    gauge('kafka_coordinator_group_groupmetadatamanager_numgroups', 'Groups.', () => count([])),
    ...GROUP_STATES.map((state) =>
      gauge(
        `kafka_coordinator_group_groupmetadatamanager_numgroups${state.toLowerCase()}`,
        `Groups in the state ${state}.`,
        () => count([state]),
      ),
    ),
  ]
}

function gauge(name: string, help: string, value: () => number): MetricFamily {
  return { name, type: 'gauge', help, read: () => [{ value: value() }] }
}

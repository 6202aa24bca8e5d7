import type { MetricFamily } from '@millrace/telemetry'
import type { BrokerServices } from '../services'

/** Kafka's number for a broker that serves. */
const RUNNING = 3

/** What this node leads and keeps, and what the cluster has. */
export function clusterMetrics(broker: BrokerServices): MetricFamily[] {
  return [
    ...replicaManagerMetrics(broker),
    ...controllerMetrics(broker),
    ...fetchSessionMetrics(broker),
    gauge('kafka_server_kafkaserver_brokerstate', '3: the broker serves.', () => RUNNING),
    ...purgatoryMetrics(broker),
    {
      name: 'kafka_server_client_metrics_push_total',
      type: 'counter',
      help: 'Pushes of metrics that clients sent.',
      read: () => [{ value: broker.clientTelemetry.pushCount }],
    },
  ]
}

/** Whatever waits is woken by what it waits for, so that nothing is left in the lists that Kafka purges: both sizes are one. */
function purgatoryMetrics({ replicas }: BrokerServices): MetricFamily[] {
  return ['purgatorysize', 'numdelayedoperations'].map((end) => ({
    name: `kafka_server_delayedoperationpurgatory_${end}`,
    type: 'gauge',
    help: 'Requests that wait for something to happen.',
    labels: ['delayedOperation'],
    read: () => [
      { labels: ['Fetch'], value: replicas.waitingFetchCount },
      { labels: ['Produce'], value: replicas.waitingAppendCount },
    ],
  }))
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
    gauge(name('atminisrpartitioncount'), 'Led partitions with no replica to spare.', () =>
      count((partition) => partition.isLeader && partition.isAtMinIsr),
    ),
    gauge(name('reassigningpartitions'), 'Partitions on their way elsewhere.', () => 0),
    gauge(name('produceridcount'), 'Producers whose last sequences are remembered.', () =>
      sum(replicas.partitions(), ({ log }) => log.producerCount),
    ),
    ...['isrshrinks', 'isrexpands', 'failedisrupdates'].map((end) =>
      never(name(`${end}_total`), 'Changes of in-sync replicas; none on a single node.'),
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
    never(
      'kafka_controller_controllerstats_uncleanleaderelections_total',
      'Leaders that were not in sync; none on a single node.',
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

function gauge(name: string, help: string, value: () => number): MetricFamily {
  return { name, type: 'gauge', help, read: () => [{ value: value() }] }
}

/** What dashboards show and a single node never does. */
function never(name: string, help: string): MetricFamily {
  return { name, type: 'counter', help, read: () => [{ value: 0 }] }
}

function sum<T>(all: Iterable<T>, value: (one: T) => number): number {
  let total = 0
  for (const one of all) total += value(one)
  return total
}

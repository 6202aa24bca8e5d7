import type { Partition, ReplicaManager } from '@millrace/replication'
import type { MetricFamily, Sample } from '@millrace/telemetry'

const GAUGES: readonly (readonly [
  name: string,
  help: string,
  value: (partition: Partition) => number,
])[] = [
  [
    'underreplicated',
    '1 where a replica lags.',
    ({ isUnderReplicated }) => Number(isUnderReplicated),
  ],
  ['underminisr', '1 where no acks=all is taken.', ({ isUnderMinIsr }) => Number(isUnderMinIsr)],
  [
    'atminisr',
    '1 where one replica fewer would be too few.',
    ({ isAtMinIsr }) => Number(isAtMinIsr),
  ],
  ['replicascount', 'Replicas.', ({ replicaCount }) => replicaCount],
  ['insyncreplicascount', 'Replicas that are in sync.', ({ isrCount }) => isrCount],
  [
    'laststableoffsetlag',
    'What readers of committed transactions do not see yet.',
    ({ log }) => log.highWatermark - log.lastStableOffset,
  ],
]

/** kafka.cluster: the partitions that this node leads, one by one. */
export function partitionMetrics(replicas: ReplicaManager): MetricFamily[] {
  return GAUGES.map(([name, help, value]) => ({
    name: `kafka_cluster_partition_${name}`,
    type: 'gauge',
    help,
    labels: ['topic', 'partition'],
    read: () => samples(replicas, value),
  }))
}

function* samples(
  replicas: ReplicaManager,
  value: (partition: Partition) => number,
): Iterable<Sample> {
  for (const partition of replicas.partitions())
    if (partition.isLeader)
      yield {
        labels: [partition.log.topic, String(partition.log.partition)],
        value: value(partition),
      }
}

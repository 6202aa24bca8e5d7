import type { ReplicaManager, TopicTraffic } from '@millrace/replication'
import type { MetricFamily, Sample } from '@millrace/telemetry'

type Counted = {
  [K in keyof TopicTraffic]: TopicTraffic[K] extends number ? K : never
}[keyof TopicTraffic]

/** Name in the metric, field, help. */
const COUNTERS: readonly (readonly [name: string, field: Counted, help: string])[] = [
  ['messagesin', 'recordsIn', 'Records that were appended.'],
  ['bytesin', 'bytesIn', 'Bytes of batches that were appended, as they came (compressed).'],
  ['bytesout', 'bytesOut', 'Bytes of batches that were given to readers.'],
  ['totalproducerequests', 'appends', 'Appends to partitions.'],
  ['failedproducerequests', 'failedAppends', 'Appends that the log refused.'],
  ['totalfetchrequests', 'reads', 'Reads of partitions.'],
  ['failedfetchrequests', 'failedReads', 'Reads of partitions that failed.'],
]

/** What dashboards show and never happens here: there is no other broker, and no older format of batches to convert. */
const NEVER = [
  'replicationbytesin',
  'replicationbytesout',
  'reassignmentbytesin',
  'reassignmentbytesout',
  'producemessageconversions',
  'fetchmessageconversions',
]

/** Traffic by topic, and of all of them without a label: what the JMX exporter makes of kafka.server:type=BrokerTopicMetrics. */
export function topicMetrics(replicas: ReplicaManager): MetricFamily[] {
  const prefix = 'kafka_server_brokertopicmetrics'
  return [
    ...COUNTERS.map(
      ([name, field, help]): MetricFamily => ({
        name: `${prefix}_${name}_total`,
        type: 'counter',
        help,
        labels: ['topic'],
        read: () => samples(replicas, field),
      }),
    ),
    ...NEVER.map(
      (name): MetricFamily => ({
        name: `${prefix}_${name}_total`,
        type: 'counter',
        help: 'Always 0.',
        labels: ['topic'],
        read: () => [{ labels: [''], value: 0 }],
      }),
    ),
  ]
}

function* samples({ traffic }: ReplicaManager, field: Counted): Iterable<Sample> {
  for (const [topic, of] of traffic.topics()) yield { labels: [topic], value: of[field] }
  yield { labels: [''], value: traffic.total()[field] }
}

import type { Log, LogManager } from '@millrace/log'
import type { MetricFamily, Sample } from '@millrace/telemetry'

const PARTITION_GAUGES: readonly (readonly [
  name: string,
  help: string,
  value: (log: Log) => number,
])[] = [
  ['size', 'Bytes of the log of a partition.', (log) => log.sizeBytes],
  ['numlogsegments', 'Segments of a log.', (log) => log.segments.length],
  ['logstartoffset', 'The first offset of a log.', (log) => log.logStartOffset],
  ['logendoffset', 'The offset that the next record gets.', (log) => log.logEndOffset],
]

/** kafka.log: sizes and offsets of each partition, the cleaner. */
export function logMetrics(logs: LogManager): MetricFamily[] {
  const cleaner = (name: string, help: string, value: () => number): MetricFamily => ({
    name: `kafka_log_${name}`,
    type: 'gauge',
    help,
    read: () => [{ value: value() }],
  })
  const metrics = () => logs.cleaner.metrics()
  return [
    ...PARTITION_GAUGES.map(
      ([name, help, value]): MetricFamily => ({
        name: `kafka_log_log_${name}`,
        type: 'gauge',
        help,
        labels: ['topic', 'partition'],
        read: () => byPartition(logs, value),
      }),
    ),
    cleaner(
      'logcleanermanager_max_dirty_percent',
      'Of the log that needs compaction most: the share that is not compacted.',
      () => metrics().maxDirtyPercent,
    ),
    cleaner(
      'logcleanermanager_time_since_last_run_ms',
      'Since the cleaner last looked for work.',
      () => metrics().timeSinceLastRunMs,
    ),
    cleaner(
      'logcleaner_cleaner_recopy_percent',
      'Bytes that the last compaction kept, of those that it read.',
      () => metrics().cleanerRecopyPercent,
    ),
    cleaner(
      'logcleaner_max_clean_time_secs',
      'How long the last compaction took.',
      () => metrics().maxCleanTimeSecs,
    ),
    cleaner(
      'logcleaner_max_buffer_utilization_percent',
      'How full the table of keys was in the last compaction.',
      () => metrics().maxBufferUtilizationPercent,
    ),
  ]
}

function* byPartition(logs: LogManager, value: (log: Log) => number): Iterable<Sample> {
  for (const log of logs.logs())
    yield { labels: [log.topic, String(log.partition)], value: value(log) }
}

import { dirname, resolve } from 'node:path'
import type { Log, LogManager } from '@millrace/log'
import type { MetricFamily, Sample } from '@millrace/telemetry'
import type { BrokerServices } from '../services'
import { quantileFamilies } from './quantiles'

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

/** kafka.log: sizes and offsets of each partition, the cleaner, the directories of `log.dirs`. */
export function logMetrics(
  { logs, clock }: Pick<BrokerServices, 'logs' | 'clock'>,
  directories: readonly string[],
): MetricFamily[] {
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
    ...cleanerMetrics(logs),
    ...quantileFamilies(
      {
        name: 'kafka_log_logflushstats_logflushrateandtimems',
        help: 'How long a log took to be on its disk, in ms: each fsync of a group commit.',
      },
      () => [{ labels: [], times: logs.syncTimes }],
      () => clock.monotonicMs(),
    ),
    ...uncleanableMetrics(logs, directories),
    ...directoryMetrics(logs, directories),
  ]
}

function cleanerMetrics({ cleaner }: LogManager): MetricFamily[] {
  const metrics = () => cleaner.metrics()
  return [
    gauge(
      'logcleanermanager_max_dirty_percent',
      'Of the log that needs compaction most: the share that is not compacted.',
      () => metrics().maxDirtyPercent,
    ),
    gauge(
      'logcleanermanager_time_since_last_run_ms',
      'Since the cleaner last looked for work.',
      () => metrics().timeSinceLastRunMs,
    ),
    gauge(
      'logcleaner_cleaner_recopy_percent',
      'Bytes that the last compaction kept, of those that it read.',
      () => metrics().cleanerRecopyPercent,
    ),
    gauge(
      'logcleaner_max_clean_time_secs',
      'How long the last compaction took.',
      () => metrics().maxCleanTimeSecs,
    ),
    gauge(
      'logcleaner_max_buffer_utilization_percent',
      'How full the table of keys was in the last compaction.',
      () => metrics().maxBufferUtilizationPercent,
    ),
    gauge(
      'logcleaner_max_compaction_delay_secs',
      'By how much the last compaction was later than max.compaction.lag.ms allows.',
      () => metrics().maxCompactionDelaySecs,
    ),
    gauge('logcleaner_deadthreadcount', 'Always 0: there are no threads to die.', () => 0),
  ]
}

function uncleanableMetrics(logs: LogManager, directories: readonly string[]): MetricFamily[] {
  const inDirectory = (directory: string) =>
    logs.cleaner
      .uncleanable()
      .filter(({ log }) => resolve(dirname(log.directory)) === resolve(directory))
  const family = (
    end: string,
    help: string,
    value: (directory: string) => number,
  ): MetricFamily => ({
    name: `kafka_log_logcleanermanager_uncleanable_${end}`,
    type: 'gauge',
    help,
    labels: ['logDirectory'],
    read: () => byDirectory(directories, value),
  })
  return [
    family(
      'partitions_count',
      'Logs that were found damaged by the cleaner, which leaves them as they are.',
      (directory) => inDirectory(directory).length,
    ),
    family('bytes', 'What of those should have been compacted.', (directory) =>
      inDirectory(directory).reduce((sum, { dirtyBytes }) => sum + dirtyBytes, 0),
    ),
  ]
}

function directoryMetrics(logs: LogManager, directories: readonly string[]): MetricFamily[] {
  return [
    gauge(
      'logmanager_offlinelogdirectorycount',
      'Directories of log.dirs that have failed.',
      () => logs.offlineDirectories.length,
    ),
    {
      name: 'kafka_log_logmanager_logdirectoryoffline',
      type: 'gauge',
      help: '1 where the directory has failed.',
      labels: ['logDirectory'],
      read: () => {
        const offline = logs.offlineDirectories
        return byDirectory(directories, (directory) => Number(offline.includes(directory)))
      },
    },
  ]
}

function gauge(name: string, help: string, value: () => number): MetricFamily {
  return { name: `kafka_log_${name}`, type: 'gauge', help, read: () => [{ value: value() }] }
}

function* byDirectory(
  directories: readonly string[],
  value: (directory: string) => number,
): Iterable<Sample> {
  for (const directory of directories) yield { labels: [directory], value: value(directory) }
}

function* byPartition(logs: LogManager, value: (log: Log) => number): Iterable<Sample> {
  for (const log of logs.logs())
    yield { labels: [log.topic, String(log.partition)], value: value(log) }
}

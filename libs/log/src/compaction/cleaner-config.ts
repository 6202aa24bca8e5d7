import { boolean, double, int, long, type ConfigOf } from '@millrace/config'

const MIB = 1 << 20

/** The broker's keys on compaction, under Kafka's names and with Kafka's defaults; the topic's are in `logConfigDefinition`. */
export const cleanerConfigDefinition = {
  cleanerEnable: boolean('log.cleaner.enable', {
    default: true,
    doc: 'Whether topics with cleanup.policy=compact are compacted; without it they only grow.',
  }),
  cleanerThreads: int('log.cleaner.threads', {
    default: 1,
    min: 0,
    scope: 'dynamic',
    doc: 'How many logs are compacted at the same time. All share the one thread of the broker, in small portions.',
  }),
  cleanerIoMaxBytesPerSecond: double('log.cleaner.io.max.bytes.per.second', {
    default: Infinity,
    min: 1,
    unit: 'bytes',
    scope: 'dynamic',
    doc: 'What compaction reads and writes in a second at most, all together.',
  }),
  cleanerDedupeBufferSize: long('log.cleaner.dedupe.buffer.size', {
    default: 128 * MIB,
    min: MIB,
    unit: 'bytes',
    scope: 'dynamic',
    doc: 'Memory for the keys of the logs that are being compacted, 24 bytes each; taken only while it is needed. A log with more dirty keys is compacted in several rounds.',
  }),
  cleanerDedupeBufferLoadFactor: double('log.cleaner.io.buffer.load.factor', {
    default: 0.9,
    min: 0.1,
    max: 1,
    scope: 'dynamic',
    doc: 'How full the memory for keys may become.',
  }),
  cleanerIoBufferSize: int('log.cleaner.io.buffer.size', {
    default: 512 * 1024,
    min: 0,
    unit: 'bytes',
    scope: 'dynamic',
    doc: 'Memory for reading, of all compactions together. A batch that does not fit gets more.',
  }),
  cleanerBackoffMs: long('log.cleaner.backoff.ms', {
    default: 15_000,
    min: 0,
    unit: 'ms',
    scope: 'dynamic',
    doc: 'Time between two looks for logs to compact when there was none.',
  }),
}

export type CleanerConfig = ConfigOf<typeof cleanerConfigDefinition>

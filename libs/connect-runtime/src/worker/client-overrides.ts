import type { ConsumerOptions, ProducerOptions } from '@millrace/client'
import { ConfigurationError } from '@millrace/connect-api'
import {
  formatProblems,
  int,
  long,
  oneOf,
  parseConfig,
  string,
  type ConfigDefinition,
  type ConfigOf,
  type Properties,
} from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import type { ClientSettings } from './client-settings'

/** Producer settings that a worker (`producer.*`) or a connector (`producer.override.*`) may change. */
const producerDefinition = {
  compression: oneOf('compression.type', ['none', 'gzip', 'snappy', 'lz4', 'zstd'], {
    default: 'none',
    doc: 'Compression of batches.',
  }),
  batchBytes: int('batch.size', { default: null, min: 1, doc: 'Size of a batch.' }),
  lingerMs: long('linger.ms', { default: null, min: 0, doc: 'Wait for a batch to fill.' }),
  maxRequestBytes: int('max.request.size', { default: null, min: 1, doc: 'Size of a request.' }),
  bufferBytes: long('buffer.memory', { default: null, min: 1, doc: 'Bytes not sent yet.' }),
}

/** Consumer settings that a worker (`consumer.*`) or a connector (`consumer.override.*`) may change. */
const consumerDefinition = {
  groupId: string('group.id', { default: null, doc: 'Consumer group of the sink.' }),
  groupInstanceId: string('group.instance.id', {
    default: null,
    doc: 'Name of the task in its group, by which it takes its partitions back after a crash.',
  }),
  autoOffsetReset: oneOf('auto.offset.reset', ['earliest', 'latest'], {
    default: 'earliest',
    doc: 'Where to begin in a partition without a committed offset.',
  }),
  // Kafka's default is 45 s: so long would a sink stand still after its worker was killed.
  sessionTimeoutMs: int('session.timeout.ms', {
    default: 10_000,
    min: 1,
    doc: 'A task that sends no heartbeat for so long loses its partitions.',
  }),
  heartbeatIntervalMs: int('heartbeat.interval.ms', {
    default: null,
    min: 1,
    doc: 'Pause between heartbeats.',
  }),
  metadataMaxAgeMs: int('metadata.max.age.ms', {
    default: null,
    min: 1,
    doc: 'How often new topics are looked for.',
  }),
  isolationLevel: oneOf('isolation.level', ['read_uncommitted', 'read_committed'], {
    default: 'read_uncommitted',
    doc: 'Whether records of open and aborted transactions are read.',
  }),
  fetchMaxWaitMs: int('fetch.max.wait.ms', { default: null, min: 0, doc: 'Wait of a fetch.' }),
  fetchMinBytes: int('fetch.min.bytes', { default: null, min: 0, doc: 'What a fetch waits for.' }),
  fetchMaxBytes: int('fetch.max.bytes', { default: null, min: 1, doc: 'Size of a fetch.' }),
  maxPartitionFetchBytes: int('max.partition.fetch.bytes', {
    default: null,
    min: 1,
    doc: 'Size of a fetch of one partition.',
  }),
}

/**
 * Producer options of a source task. What could lose or reorder records (acks, retries, idempotence) is fixed and
 * logged if somebody sets it. @throws ConfigurationError
 */
export function producerOverrides({ behaviour }: ClientSettings, logger: Logger): ProducerOptions {
  return present(parseOverrides(producerDefinition, behaviour, 'producer', logger))
}

/** Consumer options of a sink task. @throws ConfigurationError */
export function consumerOverrides(
  { behaviour }: ClientSettings,
  sink: { readonly groupId: string; readonly groupInstanceId: string; readonly logger: Logger },
): ConsumerOptions & { readonly groupId: string } {
  const config = parseOverrides(consumerDefinition, behaviour, 'consumer', sink.logger)
  return present({
    ...config,
    groupId: config.groupId ?? sink.groupId,
    groupInstanceId: config.groupInstanceId ?? sink.groupInstanceId,
  })
}

function parseOverrides<const D extends ConfigDefinition>(
  definition: D,
  properties: Properties,
  client: string,
  logger: Logger,
): ConfigOf<D> {
  const { config, problems, unknown } = parseConfig(definition, properties)
  if (problems.length > 0) {
    throw new ConfigurationError(`${client} settings: ${formatProblems(problems)}`)
  }
  if (unknown.length > 0) {
    logger.warn('client settings without effect', { client, keys: unknown.join(' ') })
  }
  return config
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], null> }

/** Without the keys that nobody set, so that the client's own defaults hold. */
function present<T extends object>(config: T): Present<T> & T {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null)) as never
}

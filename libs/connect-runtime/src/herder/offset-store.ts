import { encodeSchemaless, type SourcePosition } from '@millrace/connect-api'
import { positionKey, type PartitionOffset } from '../worker/offset-tracker'
import { decodeJsonRecord } from './json-record'
import { KafkaBasedLog, type KafkaBasedLogDeps, type LogRecord } from './kafka-based-log'

export interface OffsetStoreOptions {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
}

interface StoredOffset extends PartitionOffset {
  readonly connector: string
  /** As it was read: the next offset must be written with the very same bytes, or compaction would keep both. */
  readonly keyBytes: Buffer
  readonly timestamp: number
  readonly isTombstone: boolean
}

/** Source offsets on the offsets topic, in Kafka Connect's format: key `["connector",{partition}]`, value the offset. */
export class OffsetStore {
  readonly #log: KafkaBasedLog
  readonly #offsets = new Map<string, StoredOffset>()

  constructor(deps: KafkaBasedLogDeps, options: OffsetStoreOptions) {
    this.#log = new KafkaBasedLog(deps, {
      topic: options.topic,
      configKey: 'offset.storage.topic',
      partitions: options.partitions,
      requiredPartitions: null,
      replicationFactor: options.replicationFactor,
      onRecord: (record) => {
        const decoded = decodeJsonRecord(record, deps.logger)
        if (decoded !== null) this.#apply(record, decoded.key, decoded.value)
      },
    })
  }

  start(): Promise<void> {
    return this.#log.start()
  }
  close(): Promise<void> {
    return this.#log.close()
  }

  /** The stored offsets of some partitions of a connector, null where there is none; also what other workers wrote. */
  async read(
    connector: string,
    partitions: readonly SourcePosition[],
  ): Promise<readonly (SourcePosition | null)[]> {
    await this.#log.readToEnd()
    return partitions.map((partition) => {
      const stored = this.#offsets.get(keyOf(connector, partition))
      return stored === undefined || stored.isTombstone ? null : stored.offset
    })
  }

  /** All offsets of a connector. */
  async list(connector: string): Promise<readonly PartitionOffset[]> {
    await this.#log.readToEnd()
    return [...this.#offsets.values()]
      .filter((stored) => stored.connector === connector && !stored.isTombstone)
      .map(({ partition, offset }) => ({ partition, offset }))
  }

  /** Resolves when the cluster has the offsets; a null offset forgets the partition. */
  write(
    connector: string,
    offsets: readonly {
      readonly partition: SourcePosition
      readonly offset: SourcePosition | null
    }[],
  ): Promise<void> {
    return this.#log.append(
      offsets.map(({ partition, offset }) => ({
        key:
          this.#offsets.get(keyOf(connector, partition))?.keyBytes ??
          Buffer.from(encodeSchemaless([connector, partition])),
        value: offset === null ? null : Buffer.from(encodeSchemaless(offset)),
      })),
    )
  }

  #apply(record: LogRecord, keyText: string, value: unknown): void {
    const parsed = parseKey(keyText)
    if (parsed === null) return
    const { connector, partition } = parsed
    const key = keyOf(connector, partition)
    const known = this.#offsets.get(key)
    // Keys with another order of properties lie in other partitions of the topic, where only time tells what is newer.
    if (known !== undefined && known.timestamp > record.timestamp) return
    this.#offsets.set(key, {
      connector,
      partition,
      offset: (value ?? {}) as SourcePosition,
      keyBytes: Buffer.from(record.key!),
      timestamp: record.timestamp,
      isTombstone: value === null,
    })
  }
}

function keyOf(connector: string, partition: SourcePosition): string {
  return `${JSON.stringify(connector)}${positionKey(partition)}`
}

/** Null for a key that is not one of Connect's. */
function parseKey(text: string): { connector: string; partition: SourcePosition } | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(parsed) || parsed.length !== 2) return null
  const [connector, partition] = parsed as unknown[]
  if (typeof connector !== 'string' || typeof partition !== 'object' || partition === null) {
    return null
  }
  return { connector, partition: partition as SourcePosition }
}

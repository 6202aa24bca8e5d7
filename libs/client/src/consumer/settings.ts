import { type GroupTimings, groupTimings } from '../group/timings'
import type { ConsumerOptions } from '../options'

/** A consumer's options with what was not given: Kafka's defaults. */
export interface ConsumerSettings extends GroupTimings {
  readonly groupId: string | null
  readonly groupInstanceId: string | null
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  readonly isReadCommitted: boolean
  readonly fetchMinBytes: number
  /** Of one answer. At most that much of each broker is held for `poll`. */
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  readonly metadataMaxAgeMs: number
}

export function consumerSettings(options: ConsumerOptions): ConsumerSettings {
  return {
    ...groupTimings(options),
    groupId: options.groupId ?? null,
    groupInstanceId: options.groupInstanceId ?? null,
    autoOffsetReset: options.autoOffsetReset ?? 'latest',
    isReadCommitted: options.isolationLevel === 'read_committed',
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchMaxBytes: options.fetchMaxBytes ?? 50 * 1024 * 1024,
    fetchMaxWaitMs: options.fetchMaxWaitMs ?? 500,
    maxPartitionFetchBytes: options.maxPartitionFetchBytes ?? 1024 * 1024,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 5_000,
  }
}

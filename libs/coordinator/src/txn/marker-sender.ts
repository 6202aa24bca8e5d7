import type { TransactionMarker } from '../coordinator-log'
import type { TopicPartition } from './partitions'

/** Brings markers to the leaders of partitions, wherever they are. */
export interface MarkerSender {
  /**
   * Resolves with an error code for each partition when its marker is durable, or was not written; never rejects. A
   * partition that no longer exists is NONE: nobody waits for its marker.
   */
  send(marker: TransactionMarker, partitions: readonly TopicPartition[]): Promise<number[]>
}

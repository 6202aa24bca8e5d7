/** What ends a producer's transaction in one partition. */
export interface TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the coordinator that decided: one with an older epoch is not listened to. */
  readonly coordinatorEpoch: number
  readonly isCommit: boolean
  /** Generation of the protocol: from 2 on the marker carries the epoch after that of the transaction's records. */
  readonly transactionVersion: number
}

/** What the coordinators need of the broker's log. */
export interface CoordinatorLog {
  /**
   * Appends at once, and resolves when the batch is durable on all replicas in sync. `verification` belongs to a transactional batch: what the
   * log gave out (a guard) before the transaction was looked up. @throws ProtocolError
   */
  append(topic: string, partition: number, batch: Buffer, verification?: number): Promise<void>
  /** As `append`, for the marker that ends a transaction. @throws ProtocolError */
  appendMarker(topic: string, partition: number, marker: TransactionMarker): Promise<void>
  /** Whole batches from `fromOffset` on, below the high watermark; empty at its end. */
  read(
    topic: string,
    partition: number,
    fromOffset: number,
  ): Promise<{ records: Buffer; nextOffset: number }>
}

export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTIONS_TOPIC = '__transaction_state'

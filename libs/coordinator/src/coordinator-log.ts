/** What the coordinator needs of the broker's log. */
export interface CoordinatorLog {
  /** Resolves when the batch is durable on all replicas in sync. @throws ProtocolError */
  append(topic: string, partition: number, batch: Buffer): Promise<void>
  /** Whole batches from `fromOffset` on, below the high watermark; empty at its end. */
  read(
    topic: string,
    partition: number,
    fromOffset: number,
  ): Promise<{ records: Buffer; nextOffset: number }>
}

export const OFFSETS_TOPIC = '__consumer_offsets'

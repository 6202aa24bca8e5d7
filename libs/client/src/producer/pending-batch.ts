import { batch, BatchBuilder, type Codec, RecordCursor, type RecordHeader } from '@millrace/record'
import type { Delivery } from './delivery'

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

const NO_SEQUENCE = -1

/** Records of one partition that travel together. It gathers records until its first send, then keeps its bytes until acknowledged. */
export class PendingBatch {
  readonly createdMs: number
  /** Whoever waits for a record of this batch. */
  readonly deliveries = new Set<Delivery>()
  /** What it counts against the buffer limit. */
  heldBytes = 0
  attempts = 0
  /** After a failure it waits until then. */
  notBeforeMs = 0
  #baseSequence = NO_SEQUENCE
  #builder: BatchBuilder | null
  #bytes: Buffer | null = null

  constructor(codec: Codec, createdMs: number) {
    this.#builder = new BatchBuilder({ codec })
    this.createdMs = createdMs
  }

  /** Place of the first record in the producer's sequence; -1 before the first send. */
  get baseSequence(): number {
    return this.#baseSequence
  }

  get recordCount(): number {
    return this.#builder?.recordCount ?? batch.recordCount(this.bytes, 0)
  }

  /** Uncompressed bytes so far. */
  get estimatedBytes(): number {
    return this.#builder?.estimatedBytes ?? this.bytes.length
  }

  get bytes(): Buffer {
    if (this.#bytes === null) throw new TypeError('the batch has no bytes before it is sealed')
    return this.#bytes
  }

  append(
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly RecordHeader[] | undefined,
  ): void {
    if (this.#builder === null) throw new TypeError('the batch is sealed')
    this.#builder.append(timestamp, key, value, headers)
  }

  /** Fixes the content, its producer and its place in the sequence. */
  seal(identity: ProducerIdentity, baseSequence: number): void {
    if (this.#builder === null) batch.setProducer(this.bytes, 0, { ...identity, baseSequence })
    else this.#bytes = this.#builder.build({ ...identity, baseSequence })
    this.#builder = null
    this.#baseSequence = baseSequence
  }

  /** Two unsealed batches with half of the records each, in order, for a batch that the broker finds too large. */
  split(codec: Codec): readonly [PendingBatch, PendingBatch] {
    const parts = [
      new PendingBatch(codec, this.createdMs),
      new PendingBatch(codec, this.createdMs),
    ] as const
    const half = Math.ceil(this.recordCount / 2)
    const cursor = new RecordCursor()
    cursor.open(this.bytes, 0)
    for (let index = 0; cursor.next(); index += 1) {
      parts[index < half ? 0 : 1].append(
        cursor.timestamp,
        cursor.key(),
        cursor.value(),
        cursor.headers(),
      )
    }
    parts[0].heldBytes = Math.ceil(this.heldBytes / 2)
    parts[1].heldBytes = this.heldBytes - parts[0].heldBytes
    for (const delivery of this.deliveries) for (const part of parts) part.deliveries.add(delivery)
    return parts
  }
}

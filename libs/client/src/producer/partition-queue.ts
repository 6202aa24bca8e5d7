import type { PendingBatch, ProducerIdentity } from './pending-batch'

/** Sequences start over here. */
const SEQUENCE_COUNT = 2 ** 31

/**
 * The batches of one partition, in the order in which the log must get them: those in flight, those that failed and come again,
 * those that were not sent yet.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** Not sent yet. The last one may still take records. */
  readonly waiting: PendingBatch[] = []
  readonly inFlight = new Set<PendingBatch>()
  /** Failed and to be sent again, lowest sequence first. */
  readonly retries: PendingBatch[] = []
  #nextSequence = 0
  /** The identity that the sequence belongs to: a new one begins at 0. */
  #identity: ProducerIdentity | null = null
  /** Whether the log has acknowledged a batch of this identity, and so knows what must come next. */
  #isKnownToLog = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get isIdle(): boolean {
    return this.waiting.length === 0 && this.inFlight.size === 0 && this.retries.length === 0
  }

  /**
   * What may be sent now, or null. A failed batch is sent alone: only when the log has it may the next one follow, else the
   * order would be lost. So is the first one of an identity: a broker that knows nothing of it takes any sequence, and with
   * it a batch whose predecessor it has just refused.
   */
  peek(nowMs: number, isReady: (batch: PendingBatch) => boolean): PendingBatch | null {
    const [retry] = this.retries
    if (retry !== undefined)
      return this.inFlight.size === 0 && retry.notBeforeMs <= nowMs ? retry : null
    if (!this.#isKnownToLog && this.inFlight.size > 0) return null
    const [next] = this.waiting
    return next !== undefined && isReady(next) ? next : null
  }

  /** Moves the batch that `peek` gave on its way. */
  take(batch: PendingBatch, identity: ProducerIdentity): void {
    if (batch === this.retries[0]) this.retries.shift()
    else {
      this.waiting.shift()
      this.#seal(batch, identity)
    }
    this.inFlight.add(batch)
  }

  onAcknowledged(batch: PendingBatch): void {
    this.inFlight.delete(batch)
    this.#isKnownToLog = true
  }

  /** Whether no batch with a lower sequence is unacknowledged. */
  isFirst(batch: PendingBatch): boolean {
    const isLower = (other: PendingBatch) =>
      other !== batch && distance(other.baseSequence, batch.baseSequence) > 0
    return ![...this.inFlight, ...this.retries].some(isLower)
  }

  onFailed(batch: PendingBatch): void {
    this.inFlight.delete(batch)
    const at = this.retries.findIndex(
      (other) => distance(batch.baseSequence, other.baseSequence) > 0,
    )
    this.retries.splice(at === -1 ? this.retries.length : at, 0, batch)
  }

  /** Puts two halves in the place of a batch. They take up the same sequence together, so what follows stays right. */
  replace(batch: PendingBatch, parts: readonly PendingBatch[], identity: ProducerIdentity): void {
    this.inFlight.delete(batch)
    let sequence = batch.baseSequence
    for (const part of parts) {
      part.seal(identity, sequence)
      sequence = (sequence + part.recordCount) % SEQUENCE_COUNT
      this.onFailed(part)
    }
  }

  /** Numbers everything that was sent before anew, for a new epoch. Nothing may be in flight. */
  restart(identity: ProducerIdentity): void {
    for (const batch of this.retries) this.#seal(batch, identity)
  }

  #seal(batch: PendingBatch, identity: ProducerIdentity): void {
    if (this.#identity !== identity) {
      this.#nextSequence = 0
      this.#isKnownToLog = false
    }
    this.#identity = identity
    const { recordCount } = batch
    batch.seal(identity, this.#nextSequence)
    this.#nextSequence = (this.#nextSequence + recordCount) % SEQUENCE_COUNT
  }
}

/** How far `to` is ahead of `from`, over the point where sequences start over. */
function distance(from: number, to: number): number {
  const ahead = (to - from + SEQUENCE_COUNT) % SEQUENCE_COUNT
  return ahead > SEQUENCE_COUNT / 2 ? ahead - SEQUENCE_COUNT : ahead
}

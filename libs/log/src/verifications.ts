import type { Clock } from '@millrace/base'

/** A batch or an offset commit that is about to begin a transaction in this partition. */
export interface VerificationRequest {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 for offset commits. */
  readonly baseSequence: number
  /** The producer speaks the second generation of the protocol, which raises its epoch with each transaction. */
  readonly supportsEpochBump: boolean
}

interface Verification {
  readonly guard: number
  readonly startedMs: number
  readonly supportsEpochBump: boolean
  epoch: number
  /** The smallest sequence that asked: a later batch must not overtake one whose verification has to be tried again. */
  lowestSequence: number
}

/**
 * The questions to the transaction coordinator that are under way: is this partition part of an open transaction? Each has
 * a guard, a number never used again. What ends the transaction here meanwhile takes the guard away, so that a late yes
 * cannot open a transaction that nobody will end. Bounded by `expire`.
 */
export class Verifications {
  readonly #clock: Clock
  readonly #byProducer = new Map<number, Verification>()
  #lastGuard = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The guard of this producer's question, a new one if none is under way. */
  start(request: VerificationRequest): number {
    const { producerId, producerEpoch: epoch, baseSequence, supportsEpochBump } = request
    const found = this.#byProducer.get(producerId)
    if (found === undefined) {
      const guard = ++this.#lastGuard
      const startedMs = this.#clock.now()
      const lowestSequence = baseSequence
      this.#byProducer.set(producerId, {
        guard,
        startedMs,
        supportsEpochBump,
        epoch,
        lowestSequence,
      })
      return guard
    }
    const isLower = epoch === found.epoch && baseSequence < found.lowestSequence
    if (isLower || epoch > found.epoch) {
      found.epoch = epoch
      found.lowestSequence = baseSequence
    }
    return found.guard
  }

  isGood(producerId: number, guard: number | undefined): boolean {
    return guard !== undefined && this.#byProducer.get(producerId)?.guard === guard
  }

  /**
   * Whether a first batch with this sequence leaves a gap: before it comes one that asked, too, or, since such a producer
   * begins each transaction at 0, one of which the log knows nothing.
   */
  hasGapBefore(producerId: number, baseSequence: number, isKnownProducer: boolean): boolean {
    const found = this.#byProducer.get(producerId)
    if (found === undefined) return false
    if (found.supportsEpochBump && baseSequence !== 0 && !isKnownProducer) return true
    return baseSequence > found.lowestSequence
  }

  /** A transactional batch is in the log: the transaction is under way, or over if it is a marker. */
  onAppended(producerId: number, { epoch, isMarker }: { epoch: number; isMarker: boolean }): void {
    const found = this.#byProducer.get(producerId)
    if (found === undefined) return
    // The marker of the transaction before carries the epoch that the next one uses: that question stays open.
    if (isMarker && found.supportsEpochBump && epoch === found.epoch) return
    this.#byProducer.delete(producerId)
  }

  expire(expirationMs: number): void {
    const nowMs = this.#clock.now()
    for (const [producerId, { startedMs }] of this.#byProducer) {
      if (nowMs - startedMs >= expirationMs) this.#byProducer.delete(producerId)
    }
  }
}

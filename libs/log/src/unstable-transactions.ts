/**
 * The transactions of one log that hold its last stable offset back: those that no marker has ended, and those whose
 * marker is not below the high watermark yet, so that a crash could still take it.
 */
export class UnstableTransactions {
  /** First offsets, rising: a transaction begins at the end of the log. */
  readonly #undecided = new Set<number>()
  /** From first offset to the offset of the marker, in the order of the markers. */
  readonly #decided = new Map<number, number>()
  #firstOffset: number | null = null

  /** The smallest first offset of all, or null. */
  get firstOffset(): number | null {
    return this.#firstOffset
  }

  /** The smallest first offset of those that no marker has ended, or null. */
  get firstUndecidedOffset(): number | null {
    return this.#undecided.values().next().value ?? null
  }

  /** `firstOffset` is larger than that of any transaction that has begun. */
  begin(firstOffset: number): void {
    this.#undecided.add(firstOffset)
    this.#firstOffset ??= firstOffset
  }

  /** A marker at `markerOffset` ended it; the transaction is unstable until that is below the high watermark. */
  decide(firstOffset: number, markerOffset: number): void {
    this.#undecided.delete(firstOffset)
    this.#decided.set(firstOffset, markerOffset)
  }

  onHighWatermark(highWatermark: number): void {
    if (this.#decided.size === 0) return
    for (const [firstOffset, markerOffset] of this.#decided) {
      if (markerOffset >= highWatermark) break
      this.#decided.delete(firstOffset)
    }
    let first = this.firstUndecidedOffset
    for (const firstOffset of this.#decided.keys()) first = Math.min(first ?? Infinity, firstOffset)
    this.#firstOffset = first
  }
}

import type { IndexEntries } from './index-entries'

export const OFFSET_ENTRY_BYTES = 8

/** Sparse map from offset to file position, Kafka's `.index`: int32 offset relative to the base, int32 position. */
export class OffsetIndex {
  readonly entries: IndexEntries
  readonly #baseOffset: number

  constructor(entries: IndexEntries, baseOffset: number) {
    this.entries = entries
    this.#baseOffset = baseOffset
  }

  /** `offset` is the last one of the batch at `position`, as in Kafka; both grow from call to call. */
  append(offset: number, position: number): void {
    const { buffer, at } = this.entries.add()
    buffer.writeInt32BE(offset - this.#baseOffset, at)
    buffer.writeInt32BE(position, at + 4)
  }

  /** A position at or before the batch that holds `offset`: the best one the index knows. */
  floorPosition(offset: number): number {
    const relative = offset - this.#baseOffset
    const found = this.entries.findLast((entry) => entry.readInt32BE(0) <= relative)
    return found < 0 ? 0 : this.entries.entry(found).readInt32BE(4)
  }

  /** An offset in the last indexed batch that begins at or before `position`; the base offset if none does. */
  floorOffset(position: number): number {
    const found = this.entries.findLast((entry) => entry.readInt32BE(4) <= position)
    return this.#baseOffset + (found < 0 ? 0 : this.entries.entry(found).readInt32BE(0))
  }

  /** Where the last indexed batch begins; 0 if nothing is indexed. */
  lastPosition(): number {
    const { count } = this.entries
    return count === 0 ? 0 : this.entries.entry(count - 1).readInt32BE(4)
  }

  /** Drops the entries of batches at or after `position`. */
  truncate(position: number): void {
    const kept = this.entries.findLast((entry) => entry.readInt32BE(4) < position) + 1
    this.entries.keep(kept)
  }
}

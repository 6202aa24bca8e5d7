import { invariant } from '@millrace/base'
import type { Segment } from './segment'

/** The segments of a log by base offset; there is always one, and the last is the one that grows. */
export class SegmentList {
  #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    this.#segments = [...segments].sort((a, b) => a.baseOffset - b.baseOffset)
  }

  get active(): Segment {
    return this.#segments[this.#segments.length - 1]
  }

  get first(): Segment {
    return this.#segments[0]
  }

  get sizeBytes(): number {
    let size = 0
    for (const segment of this.#segments) size += segment.sizeBytes
    return size
  }

  /** Oldest first; a view that is not kept up to date. */
  all(): readonly Segment[] {
    return this.#segments
  }

  /** The index of the segment whose range holds `offset`, or of the first one if `offset` is older. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#segments[middle].baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return Math.max(low - 1, 0)
  }

  /** The segments from the one whose range holds `offset` on, oldest first. */
  *from(offset: number): Iterable<Segment> {
    for (let index = this.indexOf(offset); index < this.#segments.length; index++) {
      yield this.#segments[index]
    }
  }

  at(index: number): Segment | undefined {
    return this.#segments[index]
  }

  /** To an index entry; Infinity if the offsets are in two segments. */
  bytesBetween(fromOffset: number, toOffset: number): number {
    const segment = this.#segments[this.indexOf(fromOffset)]
    if (toOffset > segment.nextOffset) return Infinity
    const from = segment.offsetIndex.floorPosition(fromOffset)
    const to =
      toOffset === segment.nextOffset
        ? segment.sizeBytes
        : segment.offsetIndex.floorPosition(toOffset)
    return to - from
  }

  add(segment: Segment): void {
    invariant(
      this.#segments.length === 0 || segment.baseOffset > this.active.baseOffset,
      'segments are added at the end',
    )
    this.#segments = [...this.#segments, segment]
  }

  /** Whether all of them are in the list, and none is the active one. */
  hasInactive(segments: readonly Segment[]): boolean {
    return segments.every((segment) => segment !== this.active && this.#segments.includes(segment))
  }

  /** Puts one in the place of others, which follow each other; the caller disposes of their files. */
  replace(segments: readonly Segment[], replacement: Segment): void {
    const first = this.#segments.indexOf(segments[0])
    invariant(
      segments.every((segment, index) => this.#segments[first + index] === segment),
      'only segments that follow each other are replaced',
    )
    this.#segments = this.#segments.toSpliced(first, segments.length, replacement)
  }

  /** Takes segments out; the caller disposes of their files. */
  remove(segments: readonly Segment[]): void {
    const gone = new Set(segments)
    this.#segments = this.#segments.filter((segment) => !gone.has(segment))
  }
}

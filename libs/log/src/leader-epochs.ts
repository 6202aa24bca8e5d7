import { formatCheckpoint, parseCheckpoint } from './checkpoint-file'
import { logErrors } from './errors'

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'
const UNDEFINED = -1

interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/** Which leader epoch wrote from which offset on: what followers and consumers find the point of divergence with. */
export class LeaderEpochs {
  #starts: EpochStart[] // epochs and offsets both grow
  /** Whether something changed since `format` was last saved; the owner resets it. */
  isDirty = false

  constructor(starts: readonly EpochStart[] = []) {
    this.#starts = [...starts]
  }

  /** @throws PlatformError LOG_CORRUPT_FILE */
  static parse(file: string, text: string): LeaderEpochs {
    const starts = parseCheckpoint(file, text).map((line) => {
      const match = /^(\d+) (\d+)$/.exec(line)
      if (match === null) {
        throw logErrors.create('LOG_CORRUPT_FILE', { file, reason: `"${line}" is no epoch` })
      }
      return { epoch: Number(match[1]), startOffset: Number(match[2]) }
    })
    return new LeaderEpochs(starts)
  }

  format(): string {
    return formatCheckpoint(this.#starts.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
  }

  /** The newest epoch, -1 if none. */
  latest(): number {
    return this.#starts.at(-1)?.epoch ?? UNDEFINED
  }

  /** Notes that `epoch` begins at `startOffset`; entries that contradict it go. An epoch that is known keeps its start. */
  assign(epoch: number, startOffset: number): void {
    const last = this.#starts.at(-1)
    if (epoch < 0 || (last?.epoch === epoch && startOffset >= last.startOffset)) return
    const kept = this.#starts.filter(
      (start) => start.epoch < epoch && start.startOffset < startOffset,
    )
    this.#starts = [...kept, { epoch, startOffset }]
    this.isDirty = true
  }

  /** Where the newest epoch that is not above `epoch` stopped writing; offset -1 if nothing is known of it. */
  endOffset(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    if (epoch === UNDEFINED) return { epoch: UNDEFINED, endOffset: UNDEFINED }
    if (epoch === this.latest()) return { epoch, endOffset: logEndOffset }
    const next = this.#starts.findIndex((start) => start.epoch > epoch)
    if (next < 0) return { epoch: UNDEFINED, endOffset: UNDEFINED }
    const endOffset = this.#starts[next].startOffset
    return { epoch: next === 0 ? epoch : this.#starts[next - 1].epoch, endOffset }
  }

  /** The epoch that wrote `offset`, -1 if unknown. */
  epochOf(offset: number): number {
    return this.#starts.findLast((start) => start.startOffset <= offset)?.epoch ?? UNDEFINED
  }

  /** The log now stops before `offset`. */
  truncateEnd(offset: number): void {
    this.#replace(this.#starts.filter((start) => start.startOffset < offset))
  }

  /** The log now begins at `offset`: the epoch that wrote there begins there. */
  truncateStart(offset: number): void {
    const first = this.#starts.findLastIndex((start) => start.startOffset <= offset)
    if (first < 0) return
    const { epoch } = this.#starts[first]
    this.#replace([{ epoch, startOffset: offset }, ...this.#starts.slice(first + 1)])
  }

  #replace(starts: EpochStart[]): void {
    const before = this.format()
    this.#starts = starts
    this.isDirty ||= before !== this.format()
  }
}

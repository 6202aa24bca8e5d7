import type { Disk } from '@millrace/base'
import type { DiskRoom } from './disk-room'
import { saveSnapshot } from './producer-recovery'
import type { Segment } from './segment'

export interface SealingDeps {
  readonly disk: Disk
  readonly room: DiskRoom
  /** Resolves when all that was appended is synced. */
  readonly flush: () => Promise<void>
  readonly onFailure: (cause: unknown) => void
}

/** The segments of a log that were rolled and whose indexes and snapshot are still on their way to their files. */
export class Sealing {
  readonly #deps: SealingDeps
  readonly #directory: string
  readonly #running = new Map<Promise<void>, Segment>()
  #hasFailed = false

  constructor(deps: SealingDeps, directory: string) {
    this.#deps = deps
    this.#directory = directory
  }

  /** Starts to seal `segment`; `snapshot` has the producers as of `nextBase`, where the next segment begins. */
  start(segment: Segment, nextBase: number, snapshot: Buffer): void {
    const work: Promise<void> = this.#seal(segment, nextBase, snapshot).then(
      () => void this.#running.delete(work),
      (error: unknown) => {
        // The segment stays among those that are being sealed: the recovery point must not pass it.
        this.#hasFailed = true
        this.#deps.onFailure(error)
      },
    )
    this.#running.set(work, segment)
  }

  /** A segment below the recovery point is not scanned after a crash, so its indexes must be in their files. */
  limitRecoveryPoint(offset: number): number {
    let limited = offset
    for (const { baseOffset } of this.#running.values()) limited = Math.min(limited, baseOffset)
    return limited
  }

  has(segment: Segment): boolean {
    for (const other of this.#running.values()) if (other === segment) return true
    return false
  }

  /** Resolves when nothing is being sealed, when sealing has failed, or when the disk has no room for it. */
  async settle(): Promise<void> {
    const { room } = this.#deps
    while (this.#running.size > 0 && !this.#hasFailed && !room.isFull) {
      await room.settledOrFull(Promise.all(this.#running.keys()))
    }
  }

  /** Resolves when what was started has ended, well or not. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#running.keys())
  }

  async #seal(segment: Segment, nextBase: number, content: Buffer): Promise<void> {
    // The rest of the segment must be in its file before its index says so.
    await this.#deps.flush()
    await this.#deps.room.retry(async () => {
      await segment.seal()
      await saveSnapshot(this.#deps.disk, this.#directory, { offset: nextBase, content })
    })
  }
}

import type { ObjectWriter } from './object-writer'

/** Objects that are completed at the same time; more wait, which holds back the consumer. */
const UPLOADS_MAX = 4

export interface Upload {
  /** Whose object it is, for `forget`. */
  readonly owner: object
  readonly object: ObjectWriter
  readonly onStored: () => void
}

/** Completes closed objects, a few at a time, while the caller goes on. What fails is kept until it is retried or forgotten. */
export class Uploads {
  readonly #onFailed: () => void
  #waiting: Upload[] = []
  /** The promises never reject. */
  readonly #running = new Map<Upload, Promise<void>>()
  readonly #failed = new Map<Upload, unknown>()

  /** @param onFailed called when an upload failed, so that somebody calls `retryFailed` soon */
  constructor(onFailed: () => void) {
    this.#onFailed = onFailed
  }

  /** Puts an object in line; `startWaiting` gives it its turn. */
  add(upload: Upload): void {
    this.#waiting.push(upload)
  }

  /** Starts what is in line, waiting for room. @throws what made an upload fail; the rest then stays in line */
  async startWaiting(): Promise<void> {
    this.#throwFailure()
    while (this.#waiting.length > 0) {
      if (this.#running.size >= UPLOADS_MAX) {
        await Promise.race(this.#running.values())
        this.#throwFailure()
      } else {
        void this.#start(this.#waiting.shift() as Upload)
      }
    }
  }

  /** Tries what failed again, one after the other: the store may still be away. @throws what makes one fail again */
  async retryFailed(): Promise<void> {
    for (const upload of this.#failed.keys()) {
      this.#failed.delete(upload)
      await this.#start(upload)
      // Only its own failure counts: those of the others are from before, and their turn is next.
      if (this.#failed.has(upload)) throw this.#failed.get(upload)
    }
  }

  /** Takes the owner's objects out of the line. Resolves when none is under way any more. */
  async forget(owner: object): Promise<void> {
    this.#waiting = this.#waiting.filter((upload) => upload.owner !== owner)
    const running = [...this.#running].filter(([upload]) => upload.owner === owner)
    await Promise.all(running.map(([, done]) => done))
    for (const upload of this.#failed.keys())
      if (upload.owner === owner) this.#failed.delete(upload)
  }

  #start(upload: Upload): Promise<void> {
    const done = upload.object.complete().then(
      () => {
        this.#running.delete(upload)
        upload.onStored()
      },
      (failure: unknown) => {
        this.#running.delete(upload)
        this.#failed.set(upload, failure)
        this.#onFailed()
      },
    )
    this.#running.set(upload, done)
    return done
  }

  #throwFailure(): void {
    for (const failure of this.#failed.values()) throw failure
  }
}

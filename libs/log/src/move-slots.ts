/**
 * Lets so many moves copy at the same time. The others wait in the order in which they came; there is at most one of each
 * partition.
 */
export class MoveSlots {
  readonly #waiting = new Set<() => void>()
  #freeCount: number

  constructor(count: number) {
    this.#freeCount = count
  }

  /** Resolves when it is the caller's turn, with what ends it. Rejects with the signal's reason if it is aborted first. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#freeCount > 0) this.#freeCount -= 1
    else await this.#nextTurn(signal)
    return () => this.#giveBack()
  }

  #nextTurn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(begin)
        reject(signal.reason as Error)
      }
      const begin = () => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      signal.addEventListener('abort', giveUp)
      this.#waiting.add(begin)
    })
  }

  #giveBack(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#freeCount += 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

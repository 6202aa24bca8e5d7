import { performance } from 'node:perf_hooks'

export interface Timer {
  cancel(): void
}

/** The only door to time: a simulation passes another one. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch. */
  now(): number
  /** Milliseconds that never go backwards; only differences mean something. */
  monotonicMs(): number
  /** Runs `action` once after `delayMs`. A pending timer does not keep the process alive. */
  schedule(delayMs: number, action: () => void): Timer
  /** Resolves after `delayMs`; rejects with the signal's reason if it is aborted first. Keeps the process alive. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal!.reason as Error)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, delayMs)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },
}

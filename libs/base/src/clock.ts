import { performance } from 'node:perf_hooks'

/** Node takes a longer delay for one millisecond, so it is waited out in parts. */
const TIMER_MAX_MS = 2 ** 31 - 1

export interface Timer {
  cancel(): void
}

/** The only door to time: a simulation passes another one. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch. */
  now(): number
  /** Milliseconds that never go backwards; only differences mean something. */
  monotonicMs(): number
  /** Runs `action` once after `delayMs`, never if that is Infinity. A pending timer does not keep the process alive. */
  schedule(delayMs: number, action: () => void): Timer
  /** Resolves after `delayMs`; rejects with the signal's reason if it is aborted first. Keeps the process alive. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, action) {
    let timer: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      timer =
        leftMs > TIMER_MAX_MS
          ? setTimeout(() => arm(leftMs - TIMER_MAX_MS), TIMER_MAX_MS)
          : setTimeout(action, leftMs)
      timer.unref()
    }
    arm(delayMs)
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

import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 20
/** Long enough for a machine that does other things as well: what is there at once costs nothing. */
const WAIT_MAX_MS = 20_000

/** Waits until `condition` is true. @throws Error that names it after `timeoutMs` */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = WAIT_MAX_MS,
): Promise<void> {
  for (const deadlineMs = Date.now() + timeoutMs; !(await condition()); ) {
    if (Date.now() > deadlineMs) throw new Error(`still not: ${condition.toString()}`)
    await sleep(POLL_MS)
  }
}

/** Repeats a check until it passes; fails with its last error after `timeoutMs`. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  timeoutMs = WAIT_MAX_MS,
): Promise<T> {
  for (const deadlineMs = Date.now() + timeoutMs; ; ) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadlineMs) throw error
      await sleep(POLL_MS)
    }
  }
}

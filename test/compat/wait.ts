import { setTimeout as sleep } from 'node:timers/promises'

export { sleep }

const POLL_MS = 20

/** Waits until `isMet`, which may throw. @throws Error that names what was waited for */
export async function waitFor(
  what: string,
  isMet: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs
  while (!(await isMet())) {
    if (Date.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await sleep(POLL_MS)
  }
}

import * as assert from 'node:assert/strict'
import { errorCode } from '@millrace/base'
import type { DiskOperation, SimRandom } from '@millrace/testing'
import { ROOM_RETRY_MS } from '../disk-room'
import type { Log } from '../log'
import { tick, type Harness } from './log-fixture'

/** What a full disk refuses; names are changed and removed without room. */
const NEEDS_ROOM: readonly DiskOperation['kind'][] = ['write', 'create', 'makeDirectory']
const FOR_WANT_OF_ROOM = ['LOG_DISK_FULL', 'ENOSPC']
/** Turns in which anything ends that does not wait for room. */
const TURNS_MAX = 2000

/** Takes the room away from the disk of a log for a while: beyond some bytes, or now and then at any write. */
export class FullDisk {
  isFull = false
  readonly #random: SimRandom

  constructor(random: SimRandom) {
    this.#random = random
  }

  fill({ disk }: Harness): void {
    if (this.isFull) return
    this.isFull = true
    if (this.#random.chance(50)) {
      disk.options = { capacityBytes: disk.usedBytes + this.#random.int(2000) }
      return
    }
    const percent = this.#random.chance(50) ? 100 : 30
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    disk.options = {
      onOperation: ({ kind }) =>
        NEEDS_ROOM.includes(kind) && this.#random.chance(percent) ? full : null,
    }
  }

  /** Resolves when the log takes records again. */
  async makeRoom({ disk, clock, log }: Harness & { log: Log }): Promise<void> {
    this.isFull = false
    disk.options = {}
    const isTaking = async () => {
      await clock.advance(ROOM_RETRY_MS)
      return !log.isOutOfRoom
    }
    for (let tries = 0; tries < TURNS_MAX && !(await isTaking()); tries++) await tick()
    assert.ok(!log.isOutOfRoom, 'the log does not go on')
  }

  /** What waits for room gets it, sooner or later, and may fail for want of it before. Undefined if it did. */
  async outlive<Result>(
    work: Promise<Result>,
    harness: Harness & { log: Log },
  ): Promise<Result | undefined> {
    const mayFail = this.isFull
    let isDone = false
    const settled = work
      .catch((error: unknown) => {
        if (mayFail && FOR_WANT_OF_ROOM.includes(errorCode(error) ?? '')) return undefined
        throw error
      })
      .finally(() => (isDone = true))
    if (mayFail) {
      for (let turn = this.#random.int(50); turn > 0 && !isDone; turn--) await tick()
      if (!isDone) await this.makeRoom(harness)
    }
    await untilDone(() => isDone, 'it waits although there is room')
    return settled
  }
}

export async function untilDone(isDone: () => boolean, message: string): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX && !isDone(); turn++) await tick()
  assert.ok(isDone(), message)
}

import * as fc from 'fast-check'
import { SimDisk, SimRandom } from '@millrace/testing'
import type { LogConfig } from './config'
import type { Log } from './log'
import {
  aBatch,
  CLIENT,
  crashAndReopen,
  openLog,
  readAll,
  tick,
  type Harness,
} from './testing/log-fixture'

const SMALL: Partial<LogConfig> = {
  segmentBytes: 3000,
  indexIntervalBytes: 200,
  segmentIndexBytes: 4096,
  retentionMs: -1,
}
const PRODUCER_ID = 77
const MAX_IN_FLIGHT = 5

type Step =
  | { kind: 'append'; records: number; valueBytes: number }
  | { kind: 'tick' }
  | { kind: 'flush' }
  | { kind: 'checkpoint' }
  | { kind: 'trim' }
  | { kind: 'retain' }
  | { kind: 'restart' }
  | { kind: 'crash'; seed: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      records: fc.integer({ min: 1, max: 4 }),
      valueBytes: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 700 })),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'tick' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'checkpoint' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'trim' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'retain' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), seed: fc.nat() }) },
)

interface Sent {
  readonly sequence: number
  readonly values: readonly string[]
}

/** An idempotent producer and what it knows, beside the log that it writes to. */
class Model {
  harness: Harness & { log: Log }
  readonly tailCacheBytes: number
  /** Values of all records that the log must hold, by offset; behind `ackedOffset` some may be missing after a crash. */
  values: string[] = []
  startOffset = 0
  ackedOffset = 0
  /** Batches whose acknowledgement the producer has not seen: it may be on its way when the power goes. */
  #inFlight: { sent: Sent; nextOffset: number }[] = []
  #nextSequence = 0
  #count = 0

  constructor(harness: Harness & { log: Log }, tailCacheBytes: number) {
    this.harness = harness
    this.tailCacheBytes = tailCacheBytes
    this.#watch()
  }

  append(records: number, valueBytes: number): void {
    if (this.#inFlight.length === MAX_IN_FLIGHT) this.seeAcks()
    if (this.#inFlight.length === MAX_IN_FLIGHT) return
    const values = Array.from({ length: records }, () => `${this.#count++}`.padEnd(valueBytes, '.'))
    const sent = { sequence: this.#nextSequence, values }
    this.#nextSequence += records
    this.values.push(...values)
    this.#send(sent)
  }

  seeAcks(): void {
    this.#inFlight = this.#inFlight.filter(({ nextOffset }) => nextOffset > this.ackedOffset)
  }

  async crash(seed: number): Promise<void> {
    const sentEnd = this.values.length
    const options = { seed, config: SMALL, tailCacheBytes: this.tailCacheBytes }
    this.harness = await crashAndReopen(this.harness, options)
    const { log } = this.harness
    expect(log.failure).toBeNull()
    expect(log.logEndOffset).toBeGreaterThanOrEqual(this.ackedOffset)
    expect(log.logEndOffset).toBeLessThanOrEqual(sentEnd)
    expect(log.logStartOffset).toBe(this.startOffset)
    this.check(log.logEndOffset)
    this.#watch()
    this.#resend()
    this.check(sentEnd)
  }

  async restart(): Promise<void> {
    const { disk, clock, manager } = this.harness
    await manager.close()
    const options = { config: SMALL, tailCacheBytes: this.tailCacheBytes }
    this.harness = await openLog({ ...options, disk, clock })
    expect(this.harness.log.logEndOffset).toBe(this.values.length)
    this.#watch()
    this.#resend()
    this.check(this.values.length)
  }

  async trim(): Promise<void> {
    const { log } = this.harness
    this.seeAcks() // a batch that was deleted is no longer known as a duplicate
    const offset = Math.floor((this.startOffset + log.flushedOffset) / 2)
    log.setHighWatermark(log.flushedOffset)
    await log.deleteRecordsBefore(offset)
    expect(log.logStartOffset).toBeGreaterThanOrEqual(offset)
    this.startOffset = log.logStartOffset
  }

  /** Retention by size, up to the high watermark. */
  async retain(): Promise<void> {
    const { log } = this.harness
    this.seeAcks()
    log.setHighWatermark(log.flushedOffset)
    log.updateConfig({ ...log.config, retentionBytes: 4000 })
    await log.applyRetention()
    expect(log.logStartOffset).toBeLessThanOrEqual(log.flushedOffset)
    this.startOffset = log.logStartOffset
  }

  check(endOffset: number): void {
    const expected = this.values
      .slice(0, endOffset)
      .map((value, offset): [number, string] => [offset, value])
      .slice(this.startOffset)
    expect(readAll(this.harness.log)).toEqual(expected)
    expect(readAll(this.harness.log, 300)).toEqual(expected)
  }

  #send(sent: Sent): void {
    const records = aBatch({
      values: sent.values,
      producerId: PRODUCER_ID,
      producerEpoch: 0,
      baseSequence: sent.sequence,
    })
    const { nextOffset } = this.harness.log.append(records, CLIENT)
    this.#inFlight.push({ sent, nextOffset })
  }

  #resend(): void {
    const again = this.#inFlight
    this.#inFlight = []
    for (const { sent } of again) this.#send(sent)
  }

  #watch(): void {
    const { log } = this.harness
    log.onFlushed = () => this.#onFlushed(log.flushedOffset)
    this.#onFlushed(log.flushedOffset)
  }

  #onFlushed(offset: number): void {
    this.ackedOffset = Math.max(this.ackedOffset, offset)
  }
}

async function run(model: Model, next: Step): Promise<void> {
  switch (next.kind) {
    case 'append':
      return model.append(next.records, next.valueBytes)
    case 'tick':
      return tick()
    case 'flush':
      return model.harness.log.flush()
    case 'checkpoint':
      return model.harness.manager.checkpoint()
    case 'trim':
      return model.trim()
    case 'retain':
      return model.retain()
    case 'restart':
      return model.restart()
    case 'crash':
      return model.crash(next.seed)
  }
}

describe('a log through power losses', () => {
  it('LOG-1, LOG-5: holds every acknowledged record once and in order, and reads back what was appended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.constantFrom(0, 2000, 1 << 20),
        async (steps, tailCacheBytes) => {
          const model = new Model(await openLog({ config: SMALL, tailCacheBytes }), tailCacheBytes)
          for (const next of steps) await run(model, next)
          await model.harness.log.flush()
          model.check(model.values.length)
          await model.crash(steps.length)
          await model.harness.manager.close()
        },
      ),
      { numRuns: 150 },
    )
  }, 60_000)

  it('LOG-1, LOG-3, LOG-7: loses nothing acknowledged when the power goes at any single disk operation', async () => {
    const { disk } = await scenario(new SimDisk())
    const total = disk.operationCount
    expect(total).toBeGreaterThan(100)
    for (let powerOffAt = 1; powerOffAt <= total; powerOffAt++) {
      const before = await scenario(new SimDisk({ powerOffAt }))
      const survivor = before.disk.crash(new SimRandom(powerOffAt))
      const { log } = await openLog({ disk: survivor, config: SMALL })
      const found = readAll(log)
      const label = `power off at ${powerOffAt}`
      expect({ label, failure: log.failure }).toEqual({ label, failure: null })
      expect(log.logEndOffset).toBeGreaterThanOrEqual(before.acked)
      expect(log.logStartOffset).toBeGreaterThanOrEqual(before.deleted)
      expect(found).toEqual(found.map(([offset]) => [offset, valueAt(offset)]))
      expect(found).toHaveLength(log.logEndOffset - log.logStartOffset)
    }
  }, 60_000)
})

function valueAt(offset: number): string {
  return `value ${offset}`.padEnd(300, '.')
}

interface Outcome {
  readonly disk: SimDisk
  /** What the log had said before the power went. */
  acked: number
  deleted: number
}

/** Rolls, flushes, checkpoints, deletions and a proper restart; stops where the disk fails. */
async function scenario(disk: SimDisk): Promise<Outcome> {
  const outcome: Outcome = { disk, acked: 0, deleted: 0 }
  try {
    for (let run = 0; run < 2; run++) {
      const { log, manager } = await openLog({ disk, config: SMALL })
      for (let round = 0; round < 8; round++) {
        for (let size = 0; size < 3; size++) {
          log.append(aBatch({ values: [valueAt(log.logEndOffset)] }), CLIENT)
        }
        await log.flush()
        outcome.acked = log.flushedOffset
        if (round === 4) await manager.checkpoint()
        if (round === 6) await deleteSome(log, outcome)
      }
      await manager.close()
    }
  } catch (error) {
    // The power went: what matters is what the next start finds.
    if (disk.options.powerOffAt === undefined) throw error
  }
  return outcome
}

async function deleteSome(log: Log, outcome: Outcome): Promise<void> {
  log.setHighWatermark(log.flushedOffset)
  const offset = log.flushedOffset - 8
  await log.deleteRecordsBefore(offset)
  outcome.deleted = offset
  log.updateConfig({ ...log.config, retentionBytes: 2000 })
  await log.applyRetention()
}

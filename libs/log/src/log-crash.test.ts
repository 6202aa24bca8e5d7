import * as fc from 'fast-check'
import { SimDisk, SimRandom } from '@millrace/testing'
import type { LogConfig } from './config'
import type { Log } from './log'
import { aBatch, CLIENT, openLog, readAll, tick } from './testing/log-fixture'
import { ProducerModel } from './testing/producer-model'

const SMALL: Partial<LogConfig> = {
  segmentBytes: 3000,
  indexIntervalBytes: 200,
  segmentIndexBytes: 4096,
  retentionMs: -1,
}

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

async function run(model: ProducerModel, next: Step): Promise<void> {
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
          const model = await ProducerModel.start({ config: SMALL, tailCacheBytes })
          for (const next of steps) await run(model, next)
          await model.harness.log.flush()
          model.check(model.values.length)
          await model.crash(steps.length)
          expect(model.harness.log.logEndOffset).toBe(model.values.length)
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

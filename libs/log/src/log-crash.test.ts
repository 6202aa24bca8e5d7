import * as fc from 'fast-check'
import { crashEndings, SimDisk, SimRandom } from '@millrace/testing'
import type { LogConfig } from './config'
import type { Log } from './log'
import { keyedBatch } from './testing/compaction-fixture'
import { readCommitted } from './testing/compaction-model'
import { aBatch, CLIENT, openLog, readAll, tick } from './testing/log-fixture'
import { ProducerModel } from './testing/producer-model'

const SMALL: Partial<LogConfig> = {
  segmentBytes: 3000,
  indexIntervalBytes: 200,
  segmentIndexBytes: 4096,
  retentionMs: -1,
}

const SMALL_READ_BYTES = 350
const PRODUCERS = [7, 8] as const

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

  it.each(crashEndings)(
    'LOG-1, LOG-3, LOG-7: loses nothing acknowledged by $name at any single disk operation',
    async ({ end }) => {
      await atEachOperation(scenario, end, async (disk, outcome) => {
        const { log } = await openLog({ disk, config: SMALL })
        const found = readAll(log)
        expect(log.failure).toBeNull()
        expect(log.logEndOffset).toBeGreaterThanOrEqual(outcome.acked)
        expect(log.logStartOffset).toBeGreaterThanOrEqual(outcome.deleted)
        expect(found).toEqual(found.map(([offset]) => [offset, outcome.values[offset]]))
        expect(found).toHaveLength(log.logEndOffset - log.logStartOffset)
        expect(readAll(log, SMALL_READ_BYTES)).toEqual(found) // goes by the indexes
        // LOG-3: what was found cannot be lost any more. What nobody was told to be deleted may be back.
        const again = await openLog({ disk: disk.crash(new SimRandom(1)), config: SMALL })
        const start = log.logStartOffset
        expect(readAll(again.log).filter(([offset]) => offset >= start)).toEqual(found)
      })
    },
    120_000,
  )

  it.each(crashEndings)(
    'LOG-1, LOG-10: shows transactions whole or not at all after $name at any single disk operation',
    async ({ end }) => {
      await atEachOperation(transactions, end, async (disk, outcome) => {
        const { log } = await openLog({ disk, config: SMALL })
        expect(log.failure).toBeNull()
        log.setHighWatermark(log.logEndOffset)
        const open = outcome.sent.filter(({ isCommit }) => isCommit === null)
        expectWhole(log, outcome, open)
        // Those that are open hide what was committed behind them.
        for (const producerId of PRODUCERS) {
          if (log.hasOngoingTransaction(producerId)) appendMarker(log, producerId, false)
        }
        await log.flush()
        log.setHighWatermark(log.logEndOffset)
        expectWhole(log, outcome, open)
        const visible = new Set(readCommitted(log).map(({ value }) => value))
        const told = outcome.sent.filter(({ isTold, isCommit }) => isTold && isCommit === true)
        expect(told.filter(({ values }) => !values.every((value) => visible.has(value)))).toEqual(
          [],
        )
      })
    },
    120_000,
  )
})

/** Runs a scenario up to each of its disk operations, ends it there, and has what is left checked. */
async function atEachOperation<Outcome extends { readonly disk: SimDisk }>(
  play: (disk: SimDisk) => Promise<Outcome>,
  end: (disk: SimDisk, random: SimRandom) => SimDisk,
  check: (disk: SimDisk, outcome: Outcome) => Promise<void>,
): Promise<void> {
  const { disk } = await play(new SimDisk())
  const total = disk.operationCount
  expect(total).toBeGreaterThan(100)
  for (let powerOffAt = 1; powerOffAt <= total; powerOffAt++) {
    const outcome = await play(new SimDisk({ powerOffAt }))
    try {
      await check(end(outcome.disk, new SimRandom(powerOffAt)), outcome)
    } catch (cause) {
      throw new Error(`ended at operation ${powerOffAt} of ${total}`, { cause })
    }
  }
}

interface Outcome {
  readonly disk: SimDisk
  /** By offset, what was appended there last. */
  readonly values: string[]
  /** What the log had said before the end. */
  acked: number
  deleted: number
}

/** Rolls, flushes, checkpoints, deletions, truncations and a proper restart; stops where the disk fails. */
async function scenario(disk: SimDisk): Promise<Outcome> {
  const outcome: Outcome = { disk, values: [], acked: 0, deleted: 0 }
  let count = 0
  const append = (log: Log) => {
    const value = `value ${count++}`.padEnd(300, '.')
    outcome.values[log.append(aBatch({ values: [value] }), CLIENT).firstOffset] = value
  }
  return untilItEnds(outcome, async () => {
    for (let run = 0; run < 2; run++) {
      const { log, manager } = await openLog({ disk, config: SMALL })
      log.onFlushed = () => (outcome.acked = log.flushedOffset)
      for (let round = 0; round < 7; round++) {
        for (let size = 0; size < 3; size++) append(log)
        await log.flush()
        if (round === 4) await manager.checkpoint()
        if (round === 5) await cutBack(log, outcome)
        if (round === 6) await deleteSome(log, outcome)
      }
      await manager.close()
    }
  })
}

/** As a follower does; nobody was told of what goes. */
async function cutBack(log: Log, outcome: Outcome): Promise<void> {
  outcome.acked = log.flushedOffset - 7
  const { onFlushed } = log
  log.onFlushed = null
  await log.truncateTo(outcome.acked)
  outcome.values.length = log.logEndOffset
  log.onFlushed = onFlushed
}

async function deleteSome(log: Log, outcome: Outcome): Promise<void> {
  log.setHighWatermark(log.flushedOffset)
  const offset = log.flushedOffset - 8
  await log.deleteRecordsBefore(offset)
  outcome.deleted = offset
  log.updateConfig({ ...log.config, retentionBytes: 2000 })
  await log.applyRetention()
}

interface Sent {
  readonly values: string[]
  /** How it was to end, null until then. */
  isCommit: boolean | null
  /** That it has ended was acknowledged. */
  isTold: boolean
}

/** Two producers whose transactions overlap and reach over several segments; stops where the disk fails. */
async function transactions(disk: SimDisk): Promise<{ disk: SimDisk; sent: Sent[] }> {
  const outcome = { disk, sent: [] as Sent[] }
  const open = new Map<number, Sent>()
  const sequences = new Map<number, number>()
  const write = (log: Log, producerId: number) => {
    const sent = open.get(producerId) ?? { values: [], isCommit: null, isTold: false }
    if (sent.values.length === 0) outcome.sent.push(sent)
    open.set(producerId, sent)
    const value = `${outcome.sent.indexOf(sent)}:${sent.values.length}`.padEnd(400, '.')
    sent.values.push(value)
    const baseSequence = sequences.get(producerId) ?? 0
    sequences.set(producerId, baseSequence + 1)
    const producer = { producerId, producerEpoch: 0, baseSequence }
    const request = { ...producer, supportsEpochBump: false }
    const verification = log.startVerification(request) ?? undefined
    const records = keyedBatch([['k', value]], { ...producer, isTransactional: true })
    log.append(records, { ...CLIENT, verification })
  }
  const finish = async (log: Log, producerId: number, isCommit: boolean) => {
    const sent = open.get(producerId)!
    open.delete(producerId)
    sent.isCommit = isCommit
    const markerOffset = appendMarker(log, producerId, isCommit)
    log.onFlushed = () => (sent.isTold ||= log.flushedOffset > markerOffset)
    await log.flush()
    log.setHighWatermark(log.flushedOffset)
  }
  const [first, second] = PRODUCERS
  return untilItEnds(outcome, async () => {
    for (let run = 0; run < 2; run++) {
      const { log, manager } = await openLog({ disk, config: SMALL })
      for (let round = 0; round < 2; round++) {
        for (let count = 0; count < 3; count++) write(log, first)
        write(log, second)
        await log.flush()
        await finish(log, first, round % 2 === 0)
        if (round === 0) await manager.checkpoint()
        write(log, second)
        if (round === 0) await finish(log, second, run === 0)
      }
      await manager.close()
    }
  })
}

function appendMarker(log: Log, producerId: number, isCommit: boolean): number {
  const epochs = { producerEpoch: 0, coordinatorEpoch: 0, leaderEpoch: 0 }
  return log.appendMarker({ producerId, isCommit, ...epochs }).firstOffset
}

/** Nothing that was not to be committed is visible, and nothing in part. */
function expectWhole(log: Log, { sent }: { sent: readonly Sent[] }, open: readonly Sent[]): void {
  const visible = readCommitted(log).map(({ value }) => value)
  expect(new Set(visible).size).toBe(visible.length)
  const shown = new Set(visible)
  for (const transaction of sent) {
    const { values, isCommit } = transaction
    const count = values.filter((value) => shown.has(value)).length
    const isHidden = isCommit === false || open.includes(transaction)
    expect(isHidden ? [0] : [0, values.length]).toContain(count)
  }
}

async function untilItEnds<Outcome extends { readonly disk: SimDisk }>(
  outcome: Outcome,
  play: () => Promise<void>,
): Promise<Outcome> {
  try {
    await play()
  } catch (error) {
    // The power went: what matters is what the next start finds.
    if (outcome.disk.options.powerOffAt === undefined) throw error
  }
  return outcome
}

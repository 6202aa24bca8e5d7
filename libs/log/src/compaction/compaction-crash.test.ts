import { crashEndings, SimRandom, type SimDisk } from '@millrace/testing'
import type { Log } from '../log'
import {
  COMPACTED,
  keyedBatch,
  openCompacted,
  put,
  putInTransaction,
  putMarker,
  settleLog,
  type Keyed,
} from '../testing/compaction-fixture'
import { CompactionModel } from '../testing/compaction-model'
import { CLIENT, openLog, type Harness } from '../testing/log-fixture'

/** Ways in which the writes that were not synced may survive, tried for each operation. */
const WAYS = Number(process.env.CRASH_WAYS ?? 1)
const CONFIG = { ...COMPACTED, segmentBytes: 600, indexIntervalBytes: 100 }
const ABORT = { producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, isCommit: false }

/** A log that was compacted once, so that the next time tombstones and markers go, and then got new records. */
async function openReady(): Promise<Harness & { log: Log; model: CompactionModel }> {
  const harness = await openCompacted(CONFIG)
  const { log, manager, clock } = harness
  const model = new CompactionModel()
  const append = (...records: Keyed[]) => {
    const offset = put(log, ...records)
    model.append(offset, toRecords(records))
  }
  const settle = async () => {
    const offset = log.logEndOffset
    await settleLog(log)
    model.append(offset, toRecords([['~end', `${offset}`]]))
    model.compactedTo = offset
  }
  // One segment with many entries in its index, of which little will be left.
  const many = ['u0', 'u1', 'u2', 'u3', 'u4', 'u5']
  for (const key of many) {
    const records: Keyed[] = [[key, '1']]
    model.append(log.append(keyedBatch(records), CLIENT).firstOffset, toRecords(records))
  }
  append(['a', '1'], ['b', '1'])
  append(['gone', '1'], ['c', '1'])
  const aborted = model.begin()
  const records: Keyed[] = [
    ['a', 'aborted'],
    ['d', 'aborted'],
  ]
  model.append(
    putInTransaction(log, { producerId: 7, baseSequence: 0 }, ...records),
    toRecords(records),
    aborted,
  )
  append(['gone', null])
  model.end(aborted, false)
  putMarker(log, ABORT)
  await settle()
  await manager.cleaner.cleanAll()
  await clock.advance(2000)
  append(...many.map((key): Keyed => [key, '2']))
  append(['a', '2'], ['e', '1'])
  append(['b', '2'], ['a', '3'])
  append(['e', '2'], ['b', '3'.repeat(400)])
  append(['f', '1'], ['a', '4'])
  await settle()
  // With a recovery point behind them the start trusts the segments and their indexes.
  await manager.checkpoint()
  return { ...harness, model }
}

function toRecords(records: readonly Keyed[]) {
  return records.map(([key, value]) => ({ offset: 0, key, value }))
}

/** An old segment beside the one that replaced it would be read twice, or hide a part of it. */
function expectNoOverlap({ segments }: Log): void {
  segments.forEach((segment, index) => {
    const { nextOffset } = segment.scanFrom(segment.baseOffset, () => true)
    expect(nextOffset).toBeLessThanOrEqual(segments[index + 1]?.baseOffset ?? Infinity)
  })
}

async function countOperations(): Promise<{ first: number; last: number }> {
  const { disk, manager } = await openReady()
  const first = disk.operationCount + 1
  await manager.cleaner.cleanAll()
  return { first, last: disk.operationCount }
}

async function reopen(harness: Harness, disk: SimDisk): Promise<Log> {
  const { log, manager } = await openLog({ disk, clock: harness.clock, config: CONFIG })
  await manager.cleaner.stop()
  expect(log.failure).toBeNull()
  log.setHighWatermark(log.logEndOffset)
  return log
}

async function expectWhole(harness: Harness, disk: SimDisk, model: CompactionModel): Promise<void> {
  const log = await reopen(harness, disk)
  expect(log.logEndOffset).toBe(model.records.length)
  model.check(log)
  expectNoOverlap(log)
  const leftovers = (await disk.list(log.directory)).filter((name) => /cleaned|swap/.test(name))
  expect(leftovers).toEqual([])
}

describe('a crash in the middle of a compaction', () => {
  it.each(crashEndings)(
    'COMPACT-2: $name loses nothing at any disk operation, and brings nothing back',
    async ({ end }) => {
      const { first, last } = await countOperations()
      expect(last - first).toBeGreaterThan(60)
      for (let operation = first; operation <= last; operation++) {
        for (let way = 0; way < WAYS; way++) {
          const ready = await openReady()
          ready.disk.options = { powerOffAt: operation }
          await ready.manager.cleaner.cleanAll()
          const seed = operation * 100 + way
          try {
            await expectWhole(ready, end(ready.disk, new SimRandom(seed)), ready.model)
          } catch (cause) {
            throw new Error(`ended at ${operation}, seed ${seed}`, { cause })
          }
        }
      }
    },
  )

  it('COMPACT-2: loses nothing if the start that ends the swap is interrupted, too', async () => {
    const { first, last } = await countOperations()
    for (
      let operation = first + Math.floor((last - first) / 3);
      operation <= last;
      operation += 3
    ) {
      const ready = await openReady()
      ready.disk.options = { powerOffAt: operation }
      await ready.manager.cleaner.cleanAll()
      const random = new SimRandom(operation)
      const broken = ready.disk.crash(random)
      const opens = broken.operationCount + 1 + random.int(60)
      broken.options = { powerOffAt: opens }
      await openLog({ disk: broken, clock: ready.clock, config: CONFIG }).catch(() => undefined)
      try {
        await expectWhole(ready, broken.crash(random), ready.model)
      } catch (cause) {
        throw new Error(`power off at ${operation}, then at ${opens}`, { cause })
      }
    }
  })

  it('ends with what it would have had without a crash', async () => {
    const ready = await openReady()
    await ready.manager.cleaner.cleanAll()
    ready.model.check(ready.log)
    const expected = ready.log.segments.map(({ baseOffset }) => baseOffset)
    const log = await reopen(ready, ready.disk.crash(new SimRandom(1)))
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual(expected)
    ready.model.check(log)
  })
})

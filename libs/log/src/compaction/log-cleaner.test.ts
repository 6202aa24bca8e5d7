import { parseConfig } from '@millrace/config'
import { batch, Codec } from '@millrace/record'
import type { Log } from '../log'
import type { LogManager } from '../log-manager'
import {
  COMPACTED,
  keyedBatch,
  openCompacted,
  put,
  putBatch,
  recordsIn,
  settleLog,
  shown,
} from '../testing/compaction-fixture'
import {
  crashAndReopen,
  DEFAULT_CONFIG,
  NO_LIMIT,
  openLog,
  openManager,
  START_MS,
  tick,
  TOPIC_ID,
} from '../testing/log-fixture'
import { cleanerConfigDefinition } from './cleaner-config'

const CLEANER_CONFIG = parseConfig(cleanerConfigDefinition, {}).config
const ROOM_FOR_7_KEYS = 8 * 24

describe('compaction of keys', () => {
  it('COMPACT-1: keeps the newest record of each key, with its offset', async () => {
    const { manager, log } = await openCompacted()
    put(log, ['a', '1'], ['b', '1'], ['a', '2'])
    put(log, ['c', '1'], ['b', '2'])
    await settleLog(log)
    expect(await manager.cleaner.cleanAll()).toBe(1)
    expect(shown(log)).toEqual(['2:a=2', '3:c=1', '4:b=2'])
    expect(log.logStartOffset).toBe(0)
    expect(log.cleanedOffset).toBe(5)
  })

  it('goes by what is newer in the dirty part for the part that is clean', async () => {
    const { manager, log } = await openCompacted()
    put(log, ['a', '1'], ['b', '1'])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    put(log, ['b', '2'])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['0:a=1', '3:b=2'])
  })

  it('reads the same from any offset and in any portion', async () => {
    const { manager, log } = await openCompacted()
    for (let round = 0; round < 20; round++) put(log, [`k${round % 3}`, `${round}`], ['x', null])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    const all = recordsIn(log)
    expect(recordsIn(log, 100)).toEqual(all)
    for (let offset = 0; offset < log.logEndOffset; offset++) {
      const { records } = log.read(offset, { ...NO_LIMIT, maxBytes: 1 })
      expect(batch.lastOffset(records, 0)).toBeGreaterThanOrEqual(offset)
    }
  })

  it.each(Object.entries(Codec))('packs what is left with codec %s as before', async (_, codec) => {
    const { manager, log } = await openCompacted()
    putBatch(
      log,
      keyedBatch(
        [
          ['a', '1'],
          ['b', '1'.repeat(500)],
          ['c', '1'],
        ],
        { codec },
      ),
    )
    put(log, ['a', '2'])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual([`1:b=${'1'.repeat(500)}`, '2:c=1', '3:a=2'])
    const { records } = log.read(0, NO_LIMIT)
    expect(batch.codec(records, 0)).toBe(codec)
    expect([batch.baseOffset(records, 0), batch.lastOffset(records, 0)]).toEqual([0, 2])
  })

  it('keeps times, headers and what a broker stamped', async () => {
    const { manager, log } = await openCompacted()
    const stamped = keyedBatch(
      [
        ['a', '1'],
        ['b', '1'],
      ],
      { timestamp: START_MS - 5000 },
    )
    putBatch(log, stamped)
    put(log, ['a', '2'], ['c', null])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(log.offsetForTimestamp(START_MS - 4000)).toMatchObject({ offset: 2 })
    expect(log.offsetForTimestamp(START_MS - 5000)).toMatchObject({
      offset: 1,
      timestamp: START_MS - 5000,
    })
  })

  it('drops records without a key, which are from before the topic was compacted', async () => {
    const { manager, log } = await openCompacted({ cleanupPolicy: ['delete'] })
    put(log, [null, 'lost'], ['a', '1'])
    log.updateConfig({ ...log.config, ...COMPACTED })
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['1:a=1'])
  })

  it('makes one segment of several small ones, and none larger than segment.bytes', async () => {
    const { manager, log } = await openCompacted({ segmentBytes: 400 })
    for (let round = 0; round < 10; round++) put(log, [`k${round}`, 'v'.repeat(40)])
    await settleLog(log)
    expect(log.segments).toHaveLength(11)
    await manager.cleaner.cleanAll()
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 3, 6, 9, 10])
    expect(Math.max(...log.segments.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(400)
    expect(shown(log)).toHaveLength(10)
  })

  it('takes several rounds if the keys do not fit into its memory', async () => {
    const { manager, log } = await openCompacted()
    for (let round = 0; round < 40; round++) put(log, [`k${round % 20}`, `${round}`])
    await settleLog(log)
    manager.cleaner.updateConfig({ ...CLEANER_CONFIG, cleanerDedupeBufferSize: ROOM_FOR_7_KEYS })
    expect(await manager.cleaner.cleanAll()).toBeGreaterThan(5)
    const expected = Array.from({ length: 20 }, (_, key) => `${key + 20}:k${key}=${key + 20}`)
    expect(shown(log)).toEqual(expected)
  })

  it('leaves a log alone one batch of which has more keys than its memory', async () => {
    const { manager, log } = await openCompacted()
    const keys = Array.from({ length: 20 }, (_, key): [string, string] => [`k${key}`, '1'])
    put(log, ...keys)
    await settleLog(log)
    manager.cleaner.updateConfig({ ...CLEANER_CONFIG, cleanerDedupeBufferSize: ROOM_FOR_7_KEYS })
    await manager.cleaner.cleanAll()
    expect(manager.cleaner.uncleanable()).toHaveLength(1)
    expect(shown(log)).toHaveLength(20)
  })

  it('copies nothing over if nothing is to be taken out', async () => {
    const { manager, log } = await openCompacted({ segmentBytes: 100 })
    put(log, ['a', '1'])
    put(log, ['b', '1'])
    await settleLog(log)
    const before = log.segments
    await manager.cleaner.cleanAll()
    expect(log.segments).toEqual(before)
    expect(log.cleanedOffset).toBe(2)
  })
})

describe('compaction of tombstones', () => {
  it('COMPACT-1: keeps a tombstone for delete.retention.ms from the first cleaning on', async () => {
    const { manager, log, clock } = await openCompacted({ deleteRetentionMs: 1000 })
    put(log, ['a', '1'], ['b', '1'])
    put(log, ['a', null])
    await clock.advance(50_000)
    await cleanAgain(manager, log)
    expect(shown(log)).toEqual(['1:b=1', '2:a=null'])
    const { records } = log.read(2, NO_LIMIT)
    expect(batch.hasDeleteHorizon(records, 0)).toBe(true)
    expect(batch.baseTimestamp(records, 0)).toBe(clock.now() + 1000)
    expect(batch.maxTimestamp(records, 0)).toBe(START_MS)
    await clock.advance(999)
    await cleanAgain(manager, log)
    expect(shown(log)).toEqual(['1:b=1', '2:a=null'])
    await clock.advance(1)
    await cleanAgain(manager, log)
    expect(shown(log)).toEqual(['1:b=1'])
  })

  it('keeps the time of each record beside the horizon', async () => {
    const { manager, log } = await openCompacted()
    put(log, ['a', null], ['b', '1'])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(log.offsetForTimestamp(START_MS)).toMatchObject({ offset: 0, timestamp: START_MS })
    put(log, ['a', '2'])
    await cleanAgain(manager, log)
    expect(shown(log)).toEqual(['1:b=1', '3:a=2'])
    expect(log.offsetForTimestamp(START_MS)).toMatchObject({ offset: 1, timestamp: START_MS })
  })
})

describe('the choice of what to compact', () => {
  it('leaves the active segment and what is not stable', async () => {
    const { manager, log } = await openCompacted()
    put(log, ['a', '1'])
    put(log, ['a', '2'])
    await log.flush()
    await log.applyRetention()
    expect(await manager.cleaner.cleanAll()).toBe(0) // nothing is below the high watermark
    log.setHighWatermark(2)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['0:a=1', '1:a=2'])
    put(log, ['a', '3'])
    await log.flush()
    await log.applyRetention()
    log.setHighWatermark(3)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['1:a=2', '2:a=3'])
  })

  it('COMPACT-6: leaves what a power loss could still take', async () => {
    const { manager, log } = await openCompacted({ ackAfterFlush: false })
    put(log, ['a', '1'])
    put(log, ['a', '2'])
    put(log, ['b', '1'])
    log.setHighWatermark(3)
    expect(log.recoveryPoint).toBe(0)
    expect(await manager.cleaner.cleanAll()).toBe(0)
  })

  it('waits for more dirt than min.cleanable.dirty.ratio', async () => {
    const { manager, log } = await openCompacted({ minCleanableDirtyRatio: 0.5 })
    put(log, ['a', '1'])
    await settleLog(log)
    expect(await manager.cleaner.cleanAll()).toBe(1)
    put(log, ['b', '1'])
    await settleLog(log)
    expect(await manager.cleaner.cleanAll()).toBe(1) // two of three segments are new
    put(log, ['c', '1'])
    await settleLog(log)
    expect(await manager.cleaner.cleanAll()).toBe(0)
    expect(manager.cleaner.metrics().maxDirtyPercent).toBe(40)
  })

  it('does not wait for longer than max.compaction.lag.ms', async () => {
    const { manager, log, clock } = await openCompacted({
      minCleanableDirtyRatio: 1,
      maxCompactionLagMs: 60_000,
    })
    put(log, ['a', '1'])
    await settleLog(log)
    await clock.advance(60_000)
    expect(await manager.cleaner.cleanAll()).toBe(0)
    await clock.advance(1000)
    expect(await manager.cleaner.cleanAll()).toBe(1)
    expect(manager.cleaner.metrics().maxCompactionDelaySecs).toBe(1)
    await clock.advance(100_000)
    expect(await manager.cleaner.cleanAll()).toBe(0)
  })

  it('leaves what is younger than min.compaction.lag.ms', async () => {
    const { manager, log, clock } = await openCompacted({ minCompactionLagMs: 10_000 })
    put(log, ['a', '1'])
    await clock.advance(20_000)
    putBatch(log, keyedBatch([['a', '2']], { timestamp: clock.now() }))
    putBatch(log, keyedBatch([['a', '3']], { timestamp: clock.now() }))
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['0:a=1', '1:a=2', '2:a=3'])
    await clock.advance(10_000)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['2:a=3'])
  })

  it('takes the filthiest log first', async () => {
    const { manager, disk } = await openManager()
    const order: string[] = []
    const config = { ...DEFAULT_CONFIG, ...COMPACTED }
    for (const [topic, count] of [
      ['some', 1],
      ['most', 5],
      ['more', 3],
    ] as const) {
      const log = await manager.createLog({ topic, partition: 0, topicId: TOPIC_ID, config })
      for (let round = 0; round < 6; round++) put(log, ['clean', '1'])
      await settleLog(log)
      log.cleanedOffset = 6
      for (let round = 0; round < count; round++) put(log, ['a', '1'])
      await settleLog(log)
    }
    disk.options = {
      onOperation: ({ kind, path }) => {
        if (kind === 'open' && path.endsWith('.log.cleaned')) order.push(path.split('/')[2])
        return null
      },
    }
    expect(await manager.cleaner.cleanAll()).toBe(3)
    expect(order).toEqual(['most-0', 'more-0', 'some-0'])
  })

  it('leaves topics that are only deleted from', async () => {
    const { manager, log } = await openCompacted({ cleanupPolicy: ['delete'] })
    put(log, ['a', '1'])
    put(log, ['a', '2'])
    await settleLog(log)
    expect(await manager.cleaner.cleanAll()).toBe(0)
  })

  it('compacts topics that are also deleted from, which are deleted from all the same', async () => {
    const { manager, log, clock } = await openCompacted({
      cleanupPolicy: ['compact', 'delete'],
      retentionMs: 10_000,
      segmentBytes: 200,
    })
    put(log, ['a', '1'])
    put(log, ['a', '2'], ['b', '1'])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['1:a=2', '2:b=1'])
    await clock.advance(20_000)
    await log.applyRetention()
    expect(shown(log)).toEqual([])
    expect(log.logStartOffset).toBe(4)
  })

  it('works by itself, as often as log.cleaner.backoff.ms says, until the manager closes', async () => {
    const { manager, log, clock } = await openLog({ config: COMPACTED })
    put(log, ['a', '1'])
    put(log, ['a', '2'])
    await settleLog(log)
    await clock.advance(CLEANER_CONFIG.cleanerBackoffMs)
    while (log.cleanedOffset < 0) await tick()
    expect(shown(log)).toEqual(['1:a=2'])
    await manager.close()
  })

  it('goes on where it stopped after a restart', async () => {
    const harness = await openCompacted()
    put(harness.log, ['a', '1'])
    await settleLog(harness.log)
    await harness.manager.cleaner.cleanAll()
    const { log, disk, manager } = await crashAndReopen(harness, { config: COMPACTED })
    expect(log.cleanedOffset).toBe(1)
    expect(String(await disk.readFile('/data/cleaner-offset-checkpoint'))).toBe(
      '0\n1\norders 0 1\n',
    )
    put(log, ['a', '2'])
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['2:a=2'])
  })
})

async function cleanAgain(manager: LogManager, log: Log): Promise<void> {
  await settleLog(log)
  expect(await manager.cleaner.cleanAll()).toBe(1)
}

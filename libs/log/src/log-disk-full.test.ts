import { SimDisk, type DiskOperation } from '@millrace/testing'
import type { LogConfig } from './config'
import { ROOM_RETRY_MS } from './disk-room'
import {
  aBatch,
  CLIENT,
  crashAndReopen,
  openLog,
  readAll,
  START_MS,
  tick,
  type Harness,
} from './testing/log-fixture'
import type { Log } from './log'

const code = (name: string) => expect.objectContaining({ code: name }) as Error
const value = (fill: string) => aBatch({ values: [fill.repeat(500)] })
const valuesOf = (log: Log) => readAll(log).map(([, text]) => text[0])

/** A log with one acknowledged record, then a disk with room for less than one more, and one more. */
async function fillUp(
  config: Partial<LogConfig> = {},
): Promise<Harness & { log: Log; disk: SimDisk }> {
  const harness = await openLog({ config })
  harness.log.append(value('a'), CLIENT)
  await harness.log.flush()
  harness.log.setHighWatermark(harness.log.flushedOffset)
  harness.disk.options = { capacityBytes: harness.disk.usedBytes + 100 }
  harness.log.append(value('b'), CLIENT)
  await tick()
  await tick()
  return harness
}

async function makeRoom({ disk, clock }: Harness): Promise<void> {
  disk.options = {}
  await clock.advance(ROOM_RETRY_MS)
}

describe('a full disk', () => {
  it('LOG-11: refuses what comes, acknowledges nothing of what it could not write, and lets readers read', async () => {
    const { log } = await fillUp()
    expect(log.isOutOfRoom).toBe(true)
    expect(log.failure).toBeNull()
    expect(log.flushedOffset).toBe(1)
    expect(() => log.append(value('c'), CLIENT)).toThrow(code('LOG_DISK_FULL'))
    const limits = { maxBytes: 1 << 20, maxOffsetExclusive: log.highWatermark, minOneBatch: true }
    expect(log.read(0, limits).records.length).toBeGreaterThan(500)
  })

  it('LOG-11: goes on by itself when there is room, with what was taken before', async () => {
    const harness = await fillUp()
    const { log, clock } = harness
    let calls = 0
    log.onFlushed = () => calls++
    await clock.advance(ROOM_RETRY_MS)
    expect(log.isOutOfRoom).toBe(true)
    await makeRoom(harness)
    expect(log.isOutOfRoom).toBe(false)
    expect(calls).toBeGreaterThan(0)
    log.append(value('c'), CLIENT)
    await log.flush()
    expect(log.flushedOffset).toBe(3)
    expect(valuesOf(log)).toEqual(['a', 'b', 'c'])
    const after = await crashAndReopen(harness)
    expect(valuesOf(after.log)).toEqual(['a', 'b', 'c'])
  })

  it('LOG-11: resolves a flush that waited, also where acknowledgements do not wait', async () => {
    for (const ackAfterFlush of [true, false]) {
      const harness = await fillUp({ ackAfterFlush })
      const flushed = harness.log.flush()
      await makeRoom(harness)
      await flushed
      expect(harness.log.recoveryPoint).toBe(2)
    }
  })

  it('LOG-11: cuts the half-written batch if the power goes before there is room', async () => {
    for (let seed = 1; seed < 10; seed++) {
      const harness = await fillUp()
      const after = await crashAndReopen(harness, { seed })
      expect(after.log.failure).toBeNull()
      expect(valuesOf(after.log)).toEqual(['a'])
    }
  })

  it('does not hold up a stop, after which the next start cuts what was half written', async () => {
    const harness = await fillUp()
    await harness.manager.close()
    expect(harness.log.failure).toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    harness.disk.options = {}
    const { log } = await openLog({ disk: harness.disk })
    expect(valuesOf(log)).toEqual(['a'])
  })

  it('confirms a log start that could not be saved only once it is', async () => {
    const harness = await openLog()
    const { log, disk } = harness
    for (const fill of 'abc') log.append(value(fill), CLIENT)
    await log.flush()
    log.setHighWatermark(log.flushedOffset)
    disk.options = { capacityBytes: disk.usedBytes }
    await expect(log.deleteRecordsBefore(2)).rejects.toThrow(code('LOG_DISK_FULL'))
    await expect(log.deleteRecordsBefore(2)).rejects.toThrow(code('LOG_DISK_FULL'))
    disk.options = {}
    await log.deleteRecordsBefore(2)
    const after = await crashAndReopen(harness)
    expect(after.log.logStartOffset).toBe(2)
  })

  it('LOG-10: leaves no mark of a clean stop if the indexes found no room', async () => {
    const { log, disk, manager } = await openLog()
    const producer = { producerId: 9, producerEpoch: 0 }
    const request = { ...producer, baseSequence: 0, supportsEpochBump: false }
    const verification = log.startVerification(request) ?? undefined
    const batch = aBatch({ ...producer, baseSequence: 0, isTransactional: true })
    log.append(batch, { ...CLIENT, verification })
    log.appendMarker({ ...producer, coordinatorEpoch: 0, isCommit: false, leaderEpoch: 0 })
    await log.flush()
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    disk.options = {
      onOperation: ({ kind, path }) =>
        kind === 'write' && path.includes('.txnindex') ? full : null,
    }
    await manager.close()
    disk.options = {}
    const again = await openLog({ disk })
    expect(again.log.abortedTransactions(0, 2)).toMatchObject([{ firstOffset: 0, lastOffset: 1 }])
  })

  it('refuses to be cut back while a segment waits for room, and keeps taking records afterwards', async () => {
    const harness = await openLog({ config: { segmentBytes: 700 } })
    const { log, disk } = harness
    log.append(value('a'), CLIENT)
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    disk.options = {
      onOperation: ({ kind, path }) => (kind === 'write' && path.includes('index') ? full : null),
    }
    log.append(value('b'), CLIENT)
    // That there is no room for the index of the first segment is found out meanwhile.
    expect(log.isOutOfRoom).toBe(false)
    await expect(log.truncateTo(0)).rejects.toThrow(code('LOG_DISK_FULL'))
    await makeRoom(harness)
    for (let turn = 0; turn < 20; turn++) await tick()
    await log.truncateTo(1)
    expect(log.append(aBatch({ timestamps: [START_MS + 1] }), CLIENT).firstOffset).toBe(1)
    log.append(value('c'), CLIENT)
    await log.flush()
    expect(valuesOf(log)).toEqual(['a', 'v', 'c'])
    expect(log.failure).toBeNull()
  })

  it('LOG-7, LOG-11: lets retention make the room, and leaves no hole if the power goes then', async () => {
    for (let seed = 1; seed < 15; seed++) {
      const config = { segmentBytes: 1200, retentionBytes: 1500, fileDeleteDelayMs: 10 }
      const harness = await openLog({ config })
      const { log, disk, clock } = harness
      for (const fill of 'abcdefgh') log.append(value(fill), CLIENT)
      await log.flush()
      log.setHighWatermark(log.flushedOffset)
      for (let turn = 0; turn < 20; turn++) await tick() // the segments are being sealed
      disk.options = { capacityBytes: disk.usedBytes }
      log.append(value('i'), CLIENT)
      await tick()
      expect(log.isOutOfRoom).toBe(true)
      await log.applyRetention()
      expect(log.logStartOffset).toBeGreaterThan(0)
      if (seed % 2 === 0) {
        await clock.advance(ROOM_RETRY_MS + 10)
        await log.flush()
      }
      const flushed = log.flushedOffset
      expect(flushed).toBe(seed % 2 === 0 ? 9 : 8)
      const after = await crashAndReopen(harness, { seed, config })
      expect(after.log.failure).toBeNull()
      expect(after.log.logEndOffset).toBe(flushed)
      expect(valuesOf(after.log)).toEqual([...'abcdefghi'].slice(after.log.logStartOffset, flushed))
    }
  })

  it('waits with the index of a sealed segment, and with new segments', async () => {
    const harness = await openLog({ config: { segmentBytes: 700 } })
    const { log, disk } = harness
    log.append(value('a'), CLIENT)
    await log.flush()
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const isOfIndex = ({ path }: DiskOperation) => path.includes('index')
    disk.options = {
      onOperation: (operation) =>
        operation.kind === 'write' && isOfIndex(operation) ? full : null,
    }
    log.append(value('b'), CLIENT)
    for (let turn = 0; turn < 20; turn++) await tick()
    expect(log.flushedOffset).toBe(2)
    expect(log.recoveryPoint).toBe(0)
    expect(() => log.append(value('c'), CLIENT)).toThrow(code('LOG_DISK_FULL'))
    disk.options = { onOperation: ({ kind }) => (kind === 'open' ? full : null) }
    await harness.clock.advance(ROOM_RETRY_MS)
    expect(log.isOutOfRoom).toBe(true)
    await makeRoom(harness)
    for (let turn = 0; turn < 20; turn++) await tick()
    expect(log.recoveryPoint).toBe(2)
    disk.options = { onOperation: ({ kind }) => (kind === 'open' ? full : null) }
    expect(() => log.append(value('c'), CLIENT)).toThrow(code('LOG_DISK_FULL'))
    expect(log.isOutOfRoom).toBe(false)
    disk.options = {}
    expect(log.append(value('c'), CLIENT).firstOffset).toBe(2)
  })
})

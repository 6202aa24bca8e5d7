import { SimDisk, type DiskOperation } from '@millrace/testing'
import { batch } from '@millrace/record'
import {
  aBatch,
  CLIENT,
  crashAndReopen,
  DIRECTORY,
  NO_LIMIT,
  openLog,
  openManager,
  readAll,
  recordsOf,
  START_MS,
  tick,
} from './testing/log-fixture'

const COORDINATOR = { leaderEpoch: 0, origin: 'coordinator' } as const
const code = (name: string) => expect.objectContaining({ code: name }) as Error

describe('append', () => {
  it('changes only base offset and leader epoch of a batch', async () => {
    const { log } = await openLog()
    const sent = aBatch({ values: ['a', 'b'] })
    const original = Buffer.from(sent)
    log.append(aBatch(), CLIENT)
    log.append(sent, { leaderEpoch: 5, origin: 'client' })
    const { records } = log.read(1, NO_LIMIT)
    expect(batch.baseOffset(records, 0)).toBe(1)
    expect(batch.leaderEpoch(records, 0)).toBe(5)
    expect(records.subarray(8, 12)).toEqual(original.subarray(8, 12))
    expect(records.subarray(16)).toEqual(original.subarray(16))
    expect(log.latestEpoch()).toBe(5)
  })

  it('stores nothing of a batch with a wrong checksum', async () => {
    const { log } = await openLog()
    const damaged = aBatch({ values: ['payload'] })
    damaged[damaged.length - 3] ^= 1
    expect(() => log.append(damaged, CLIENT)).toThrow(code('LOG_CORRUPT_BATCH'))
    expect(() => log.append(damaged.subarray(0, 50), CLIENT)).toThrow(code('LOG_CORRUPT_BATCH'))
    expect(log.logEndOffset).toBe(0)
  })

  it('LOG-5: takes one batch of a client, since a retry could be half stored otherwise', async () => {
    const { log } = await openLog()
    const from = (baseSequence: number) => aBatch({ producerId: 9, baseSequence })
    log.append(from(0), CLIENT)
    // The answer to the first batch's retry used to stand for the second one too, which was never stored.
    const halfStored = Buffer.concat([from(0), from(1)])
    expect(() => log.append(halfStored, CLIENT)).toThrow(code('LOG_INVALID_RECORD'))
    expect(() => log.append(Buffer.concat([aBatch(), aBatch()]), COORDINATOR)).toThrow(
      code('LOG_INVALID_RECORD'),
    )
    expect(log.logEndOffset).toBe(1)
  })

  it('takes several batches of a leader, all or not at all', async () => {
    const { log } = await openLog()
    const replica = { leaderEpoch: -1, origin: 'replication' } as const
    const damaged = aBatch({ baseOffset: 1 })
    damaged[damaged.length - 1] ^= 1
    expect(() => log.append(Buffer.concat([aBatch(), damaged]), replica)).toThrow(
      code('LOG_CORRUPT_BATCH'),
    )
    expect(log.logEndOffset).toBe(0)
    const copies = Buffer.concat([aBatch(), aBatch({ baseOffset: 1, values: ['a', 'b'] })])
    expect(log.append(copies, replica)).toMatchObject({ firstOffset: 0, nextOffset: 3 })
    expect(readAll(log)).toHaveLength(3)
  })

  it('refuses a batch above max.message.bytes, and one above the segment size', async () => {
    const { log } = await openLog({ config: { maxMessageBytes: 200 } })
    const large = () => aBatch({ values: ['x'.repeat(200)] })
    expect(() => log.append(large(), CLIENT)).toThrow(code('LOG_BATCH_TOO_LARGE'))
    log.updateConfig({ ...log.config, maxMessageBytes: 1000, segmentBytes: 250 })
    expect(() => log.append(large(), CLIENT)).toThrow(code('LOG_BATCH_ABOVE_SEGMENT'))
    log.updateConfig({ ...log.config, segmentBytes: 300 })
    log.append(large(), CLIENT)
  })

  it('refuses a record without a key where the topic is compacted', async () => {
    const { log } = await openLog({ config: { cleanupPolicy: ['compact'] } })
    expect(() => log.append(aBatch({ key: null }), CLIENT)).toThrow(code('LOG_INVALID_RECORD'))
    expect(() => log.append(aBatch({ key: null }), COORDINATOR)).toThrow(code('LOG_INVALID_RECORD'))
    log.append(aBatch({ key: '' }), CLIENT)
  })

  it('refuses control batches from clients', async () => {
    const { log } = await openLog()
    const control = () => aBatch({ isControl: true })
    expect(() => log.append(control(), CLIENT)).toThrow(code('LOG_INVALID_RECORD'))
    log.append(control(), COORDINATOR)
  })

  it('refuses transactional batches from clients, whose transaction nobody could end', async () => {
    const { log } = await openLog()
    const transactional = aBatch({ isTransactional: true, producerId: 9, baseSequence: 0 })
    expect(() => log.append(transactional, CLIENT)).toThrow(code('LOG_INVALID_TXN_STATE'))
  })

  it('refuses another format than version 2, and an offset that only the log gives', async () => {
    const { log } = await openLog()
    const old = aBatch()
    old[16] = 1
    expect(() => log.append(old, CLIENT)).toThrow(code('LOG_INVALID_RECORD'))
    const placed = aBatch()
    batch.setBaseOffset(placed, 0, 1)
    expect(() => log.append(placed, CLIENT)).toThrow(code('LOG_INVALID_RECORD'))
  })

  it('corrects a newest time that is older than the first, so that the batch is found by it', async () => {
    const { log } = await openLog()
    // kafkajs puts the last record's time into the header.
    const sent = aBatch({ values: ['a', 'b', 'c'], timestamps: [START_MS, START_MS + 9, 5] })
    batch.setMaxTimestampAndType(sent, 0, 'CreateTime', 5)
    log.append(sent, CLIENT)
    const { records } = log.read(0, NO_LIMIT)
    expect(batch.maxTimestamp(records, 0)).toBe(START_MS + 9)
    expect(batch.isCrcValid(records, 0)).toBe(true)
    expect(log.offsetForTimestamp(START_MS + 9)).toMatchObject({ offset: 1 })
  })

  it('refuses times outside the bounds of the topic', async () => {
    const { log } = await openLog({
      config: { messageTimestampAfterMaxMs: 1000, messageTimestampBeforeMaxMs: 5000 },
    })
    const at = (timestamp: number) => aBatch({ timestamps: [timestamp] })
    const refused = code('LOG_INVALID_TIMESTAMP')
    expect(() => log.append(at(START_MS + 1001), CLIENT)).toThrow(refused)
    expect(() => log.append(at(START_MS - 5001), CLIENT)).toThrow(refused)
    log.append(at(START_MS + 1000), CLIENT)
    log.append(at(START_MS - 5000), CLIENT)
    log.append(at(-1), CLIENT)
  })

  it('stamps its own time if the topic says LogAppendTime', async () => {
    const { log } = await openLog({ config: { messageTimestampType: 'LogAppendTime' } })
    const result = log.append(aBatch({ timestamps: [5] }), CLIENT)
    expect(result.logAppendTime).toBe(START_MS)
    const { records } = log.read(0, NO_LIMIT)
    expect(batch.timestampType(records, 0)).toBe('LogAppendTime')
    expect(batch.maxTimestamp(records, 0)).toBe(START_MS)
    expect(batch.isCrcValid(records, 0)).toBe(true)
    expect(log.offsetForTimestamp(START_MS)).toMatchObject({ offset: 0, timestamp: START_MS })
  })

  it('keeps the offsets of a leader and refuses those it has', async () => {
    const { log } = await openLog()
    const copy = (baseOffset: number) => aBatch({ baseOffset, leaderEpoch: 3 })
    const replica = { leaderEpoch: -1, origin: 'replication' } as const
    expect(log.append(copy(10), replica)).toMatchObject({ firstOffset: 10, nextOffset: 11 })
    expect(() => log.append(copy(10), replica)).toThrow(code('LOG_INVALID_RECORD'))
    expect(log.latestEpoch()).toBe(3)
    expect(recordsOf(log.read(0, NO_LIMIT).records)).toEqual([[10, 'v']])
  })
})

describe('idempotent producers', () => {
  const from = (baseSequence: number, producerEpoch = 0, values = ['v']) =>
    aBatch({ producerId: 9, producerEpoch, baseSequence, values })

  it('LOG-5: answers a retry of the last five batches with the first offsets', async () => {
    const { log } = await openLog()
    for (let sequence = 0; sequence < 6; sequence++) log.append(from(sequence), CLIENT)
    expect(log.append(from(1), CLIENT)).toMatchObject({
      firstOffset: 1,
      lastOffset: 1,
      nextOffset: 2,
      // As Kafka tells it of a retry, though the log gives no times.
      logAppendTime: START_MS,
      isDuplicate: true,
    })
    expect(() => log.append(from(0), CLIENT)).toThrow(code('LOG_OUT_OF_ORDER_SEQUENCE'))
    expect(log.logEndOffset).toBe(6)
  })

  it('LOG-5: refuses a gap', async () => {
    const { log } = await openLog()
    log.append(from(0), CLIENT)
    expect(() => log.append(from(2), CLIENT)).toThrow(code('LOG_OUT_OF_ORDER_SEQUENCE'))
    log.append(from(1), CLIENT)
    expect(log.logEndOffset).toBe(2)
  })

  it('takes a new epoch from sequence 0 and refuses the old one then', async () => {
    const { log } = await openLog()
    log.append(from(0), CLIENT)
    expect(() => log.append(from(1, 1), CLIENT)).toThrow(code('LOG_OUT_OF_ORDER_SEQUENCE'))
    log.append(from(0, 1), CLIENT)
    expect(() => log.append(from(1, 0), CLIENT)).toThrow(code('LOG_INVALID_PRODUCER_EPOCH'))
  })

  it('goes on at 0 after the largest sequence', async () => {
    const { log } = await openLog()
    log.append(from(2 ** 31 - 2, 0, ['a', 'b', 'c']), CLIENT)
    expect(log.append(from(1), CLIENT).firstOffset).toBe(3)
    expect(log.append(from(2 ** 31 - 2, 0, ['a', 'b', 'c']), CLIENT)).toMatchObject({
      isDuplicate: true,
      firstOffset: 0,
      lastOffset: 2,
    })
  })

  it('takes any sequence of a producer that it forgot after producer.id.expiration.check.interval.ms', async () => {
    const { log, clock } = await openLog()
    log.append(from(0), CLIENT)
    await clock.advance(86_400_000 - 1)
    expect(() => log.append(from(41), CLIENT)).toThrow(code('LOG_OUT_OF_ORDER_SEQUENCE'))
    await clock.advance(600_000)
    expect(log.append(from(41), CLIENT).isDuplicate).toBe(false)
  })

  it('LOG-5: knows a retry after a crash and after a proper restart', async () => {
    let harness = await openLog()
    for (let sequence = 0; sequence < 5; sequence++) harness.log.append(from(sequence), CLIENT)
    await harness.log.flush()
    harness = await crashAndReopen(harness)
    expect(harness.log.append(from(0), CLIENT)).toMatchObject({ isDuplicate: true, firstOffset: 0 })
    await harness.manager.close()
    harness = await openLog({ disk: harness.disk, clock: harness.clock })
    expect(harness.log.append(from(1), CLIENT)).toMatchObject({ isDuplicate: true, firstOffset: 1 })
    expect(harness.log.append(from(5), CLIENT)).toMatchObject({ isDuplicate: false })
  })
})

describe('durability', () => {
  it('LOG-1: acknowledges after the sync and not before', async () => {
    const { log, disk } = await openLog()
    const seen: string[] = []
    const note = ({ kind, path }: DiskOperation) => {
      if (path.endsWith('.log')) seen.push(kind)
      return null
    }
    disk.options = { onOperation: note }
    log.onFlushed = () => seen.push(`flushed ${log.flushedOffset}`)
    log.append(aBatch(), CLIENT)
    log.append(aBatch(), CLIENT)
    expect(log.flushedOffset).toBe(0)
    for (let round = 0; round < 20; round++) await tick()
    expect(seen).toEqual(['write', 'sync', 'synced', 'flushed 2'])
  })

  it('gathers what comes during a sync into one write', async () => {
    const { log, disk } = await openLog()
    log.append(aBatch(), CLIENT)
    await log.flush()
    let writes = 0
    let syncs = 0
    disk.options = {
      onOperation: ({ kind }) => {
        if (kind === 'write') writes++
        if (kind === 'sync') syncs++
        return null
      },
    }
    log.append(aBatch(), CLIENT)
    while (syncs === 0) await tick()
    for (let count = 0; count < 10; count++) log.append(aBatch(), CLIENT)
    await log.flush()
    expect(log.flushedOffset).toBe(12)
    expect(writes).toBeLessThanOrEqual(2)
    expect(syncs).toBe(2)
  })

  it('LOG-8: syncs what was appended during a sync and then written by a reader', async () => {
    const { log, disk } = await openLog()
    disk.options = { syncTurns: 10 }
    log.append(aBatch(), CLIENT)
    await tick()
    log.append(aBatch(), CLIENT)
    await tick()
    expect(log.maxTimestampOffset()).toMatchObject({ offset: 0 })
    for (let round = 0; round < 40; round++) await tick()
    expect(log.flushedOffset).toBe(2)
  })

  it('acknowledges from the page cache if the topic says so, and syncs on flush', async () => {
    const { log } = await openLog({ config: { ackAfterFlush: false } })
    log.append(aBatch(), CLIENT)
    await tick()
    expect(log.flushedOffset).toBe(1)
    expect(log.recoveryPoint).toBe(0)
    await log.flush()
    expect(log.recoveryPoint).toBe(1)
  })

  it.each([true, false])(
    'lets the listener append, also while segments roll (ack.after.flush=%s)',
    async (ackAfterFlush) => {
      const { log } = await openLog({ config: { ackAfterFlush, segmentBytes: 500 } })
      const values = Array.from({ length: 100 }, (_, index) => `value ${index}`.padEnd(100))
      let sent = 0
      await new Promise<void>((resolve) => {
        const pump = () => {
          while (sent < values.length && sent - log.flushedOffset < 8) {
            log.append(aBatch({ values: [values[sent++]] }), CLIENT)
          }
          if (log.flushedOffset === values.length) resolve()
        }
        log.onFlushed = pump
        pump()
      })
      expect(readAll(log).map(([, value]) => value)).toEqual(values)
    },
  )

  it('syncs by flush.messages and flush.ms although acknowledgements do not wait', async () => {
    const config = { ackAfterFlush: false, flushMessages: 3, flushMs: 500 }
    const { log, clock } = await openLog({ config })
    log.append(aBatch({ values: ['a', 'b', 'c'] }), CLIENT)
    for (let round = 0; round < 5; round++) await tick()
    expect(log.recoveryPoint).toBe(3)
    log.append(aBatch(), CLIENT)
    await clock.advance(499)
    expect(log.recoveryPoint).toBe(3)
    await clock.advance(1)
    await tick()
    await tick()
    expect(log.recoveryPoint).toBe(4)
  })

  it('LOG-4: a failed sync is final, for all logs of the directory', async () => {
    const { log, disk, manager } = await openLog()
    const other = await manager.createLog({ ...log, topic: 'other', config: log.config })
    log.append(aBatch(), CLIENT)
    await log.flush()
    let syncs = 0
    disk.options = {
      onOperation: ({ kind }) =>
        kind === 'sync' && ++syncs === 1 ? Object.assign(new Error('EIO'), { code: 'EIO' }) : null,
    }
    let notified = 0
    log.onFlushed = () => notified++
    log.append(aBatch(), CLIENT)
    await expect(log.flush()).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    expect(notified).toBe(1)
    expect(syncs).toBe(1)
    expect(log.flushedOffset).toBe(1)
    expect(() => log.append(aBatch(), CLIENT)).toThrow(code('LOG_STORAGE_FAILED'))
    expect(() => other.append(aBatch(), CLIENT)).toThrow(code('LOG_STORAGE_FAILED'))
    for (const { isOffline } of [log, other]) expect(isOffline).toBe(true)
    expect(() => log.read(0, { ...NO_LIMIT, maxOffsetExclusive: 1 })).toThrow(
      code('LOG_STORAGE_FAILED'),
    )
    expect(() => log.offsetForTimestamp(0)).toThrow(code('LOG_STORAGE_FAILED'))
    expect(() => log.abortedTransactions(0, 1)).toThrow(code('LOG_STORAGE_FAILED'))
    await expect(
      manager.createLog({ ...log, topic: 'third', config: log.config }),
    ).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    await manager.close()
    expect(await disk.readFile(`${DIRECTORY}/.kafka_cleanshutdown`)).toBeNull()
  })
})

describe('recovery', () => {
  it('LOG-2: does not cut damage below the recovery point, but stops taking records', async () => {
    let harness = await openLog()
    for (const value of ['a', 'b', 'c']) harness.log.append(aBatch({ values: [value] }), CLIENT)
    await harness.log.flush()
    await harness.manager.checkpoint()
    const file = `${DIRECTORY}/orders-0/00000000000000000000.log`
    const handle = harness.disk.open(file, 'append')
    const size = handle.size()
    handle.writev([Buffer.from([255])], size - 2)
    await handle.sync()
    for (let start = 0; start < 2; start++) {
      harness = await crashAndReopen(harness)
      expect(harness.log.failure).toMatchObject({ code: 'LOG_TRUNCATED_BELOW_RECOVERY_POINT' })
      expect(() => harness.log.append(aBatch(), CLIENT)).toThrow(/check the disk|good only up to/)
      expect(readAll(harness.log)).toEqual([
        [0, 'a'],
        [1, 'b'],
      ])
      expect(harness.disk.open(file, 'read').size()).toBe(size)
      await harness.manager.checkpoint()
    }
  })

  it('LOG-2: sees after a proper stop, too, that whole batches at the end are gone', async () => {
    const harness = await openLog()
    for (const value of ['a', 'b', 'c']) harness.log.append(aBatch({ values: [value] }), CLIENT)
    await harness.log.flush()
    await harness.manager.close()
    const file = harness.disk.open(`${DIRECTORY}/orders-0/00000000000000000000.log`, 'append')
    await file.truncate((file.size() / 3) * 2)
    const { log } = await openLog({ disk: harness.disk, clock: harness.clock })
    expect(log.failure).toMatchObject({ code: 'LOG_TRUNCATED_BELOW_RECOVERY_POINT' })
    expect(readAll(log)).toHaveLength(2)
  })

  it('cuts a torn tail above the recovery point', async () => {
    const harness = await openLog()
    harness.log.append(aBatch({ values: ['a'] }), CLIENT)
    await harness.log.flush()
    const file = `${DIRECTORY}/orders-0/00000000000000000000.log`
    const handle = harness.disk.open(file, 'append')
    const size = handle.size()
    handle.writev([aBatch({ baseOffset: 1 }).subarray(0, 40)], size)
    await handle.sync()
    const { log, disk } = await crashAndReopen(harness)
    expect(log.logEndOffset).toBe(1)
    expect(disk.open(file, 'read').size()).toBe(size)
  })

  it('cuts from an offset that runs backwards', async () => {
    const harness = await openLog()
    harness.log.append(aBatch({ values: ['a', 'b'] }), CLIENT)
    await harness.log.flush()
    const file = `${DIRECTORY}/orders-0/00000000000000000000.log`
    const handle = harness.disk.open(file, 'append')
    handle.writev([aBatch({ baseOffset: 1 })], handle.size())
    await handle.sync()
    const { log } = await crashAndReopen(harness)
    expect(log.logEndOffset).toBe(2)
  })

  it('reads no batch after a proper restart but the last ones', async () => {
    const config = { segmentBytes: 2000, indexIntervalBytes: 0 }
    const { log, disk, clock, manager } = await openLog({ config })
    for (let count = 0; count < 60; count++) {
      log.append(aBatch({ values: ['x'.repeat(200)] }), CLIENT)
    }
    await manager.close()
    const opened: string[] = []
    disk.options = {
      onOperation: ({ kind, path }) => (kind === 'read' && opened.push(path), null),
    }
    const again = await openLog({ disk, clock, config })
    const files = new Set(opened.filter((path) => path.endsWith('.log')))
    expect(files.size).toBe(1)
    expect(again.log.logEndOffset).toBe(60)
  })

  it('rebuilds an index that is missing', async () => {
    const config = { segmentBytes: 2000, indexIntervalBytes: 0 }
    const { log, disk, clock, manager } = await openLog({ config })
    for (let count = 0; count < 30; count++) {
      log.append(aBatch({ values: [`${count}`.padEnd(200)] }), CLIENT)
    }
    const before = readAll(log)
    await manager.close()
    for (const name of await disk.list(`${DIRECTORY}/orders-0`)) {
      if (name.endsWith('index')) await disk.remove(`${DIRECTORY}/orders-0/${name}`)
    }
    const again = await openLog({ disk, clock, config })
    expect(again.log.failure).toBeNull()
    expect(readAll(again.log, 300)).toEqual(before)
  })

  it('finds the high watermark, the log start and the topic id again', async () => {
    const harness = await openLog()
    harness.log.append(aBatch({ values: ['a', 'b', 'c'] }), CLIENT)
    await harness.log.flush()
    harness.log.setHighWatermark(3)
    await harness.log.deleteRecordsBefore(2)
    await harness.manager.checkpoint()
    const { log } = await crashAndReopen(harness)
    expect(log).toMatchObject({ highWatermark: 3, logStartOffset: 2, topicId: harness.log.topicId })
  })

  it('removes what a deletion left behind', async () => {
    const { disk, clock, manager } = await openLog()
    await manager.deleteLog('orders', 0)
    expect((await disk.list(DIRECTORY)).some((name) => name.endsWith('-delete'))).toBe(true)
    await manager.close()
    await openManager({ disk, clock })
    expect((await disk.list(DIRECTORY)).some((name) => name.endsWith('-delete'))).toBe(false)
  })

  it('starts with a directory that does not exist yet', async () => {
    const { manager } = await openManager({ disk: new SimDisk() })
    expect([...manager.logs()]).toEqual([])
  })
})

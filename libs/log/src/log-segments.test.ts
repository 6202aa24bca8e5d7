import type { LogConfig } from './config'
import {
  aBatch,
  CLIENT,
  crashAndReopen,
  DIRECTORY,
  NO_LIMIT,
  openLog,
  readAll,
  recordsOf,
  START_MS,
  tick,
  TOPIC_ID,
  type BatchSpec,
} from './testing/log-fixture'

const PARTITION = `${DIRECTORY}/orders-0`
const code = (name: string) => expect.objectContaining({ code: name }) as Error
const padded = (value: string, bytes = 200) => value.padEnd(bytes, '.')

async function filledLog(count: number, config: Partial<LogConfig>, spec: BatchSpec = {}) {
  const harness = await openLog({ config, tailCacheBytes: 0 })
  for (let index = 0; index < count; index++) {
    harness.log.append(aBatch({ ...spec, values: [padded(`${index}`)] }), CLIENT)
  }
  await harness.log.flush()
  harness.log.setHighWatermark(count)
  return harness
}

describe('read', () => {
  it('gives the whole batch that holds the offset', async () => {
    const { log } = await openLog()
    log.append(aBatch({ values: ['a', 'b', 'c'] }), CLIENT)
    log.append(aBatch({ values: ['d'] }), CLIENT)
    expect(recordsOf(log.read(1, NO_LIMIT).records)[0]).toEqual([0, 'a'])
    expect(log.read(4, NO_LIMIT)).toEqual({ records: Buffer.alloc(0), sizeBytes: 0 })
  })

  it.each([0, 1 << 20])('keeps its limits with %i bytes of tail', async (tailCacheBytes) => {
    const { log } = await openLog({ tailCacheBytes })
    const sizes = [10, 3000, 20_000, 5].map((bytes, index) => {
      const records = aBatch({ values: [padded(`${index}`, bytes)] })
      log.append(records, CLIENT)
      return records.length
    })
    await log.flush()
    const read = (from: number, over: object) =>
      log.read(from, { ...NO_LIMIT, minOneBatch: false, ...over }).sizeBytes
    expect(read(0, { maxBytes: sizes[0] + sizes[1] })).toBe(sizes[0] + sizes[1])
    expect(read(0, { maxBytes: sizes[0] + sizes[1] - 1 })).toBe(sizes[0])
    expect(read(2, { maxBytes: 100 })).toBe(0)
    expect(read(2, { maxBytes: 100, minOneBatch: true })).toBe(sizes[2])
    expect(read(2, { maxBytes: 0, minOneBatch: true })).toBe(sizes[2])
    expect(read(0, { maxOffsetExclusive: 3 })).toBe(sizes[0] + sizes[1] + sizes[2])
    expect(read(2, { maxOffsetExclusive: 2, minOneBatch: true })).toBe(0)
  })

  it.each([0, 1 << 20])(
    'gives no batch that reaches beyond the limit offset, with %i bytes of tail',
    async (tailCacheBytes) => {
      const { log } = await openLog({ tailCacheBytes })
      log.append(aBatch({ values: ['a'] }), CLIENT)
      log.append(aBatch({ values: ['b', 'c'] }), CLIENT)
      await log.flush()
      const upTo = (maxOffsetExclusive: number) =>
        recordsOf(log.read(0, { ...NO_LIMIT, maxOffsetExclusive }).records).length
      expect([upTo(0), upTo(1), upTo(2), upTo(3)]).toEqual([0, 1, 1, 3])
    },
  )

  it('finds every offset through the sparse index', async () => {
    const { log } = await filledLog(200, { indexIntervalBytes: 1000 })
    for (let offset = 0; offset < 200; offset++) {
      const { records } = log.read(offset, { ...NO_LIMIT, maxBytes: 10 })
      expect(recordsOf(records)).toEqual([[offset, padded(`${offset}`)]])
    }
  })

  it('refuses offsets before the start and beyond the end', async () => {
    const { log } = await filledLog(3, {})
    await log.deleteRecordsBefore(1)
    expect(() => log.read(0, NO_LIMIT)).toThrow(code('LOG_OFFSET_OUT_OF_RANGE'))
    expect(() => log.read(4, NO_LIMIT)).toThrow(code('LOG_OFFSET_OUT_OF_RANGE'))
  })
})

describe('rolling', () => {
  const baseOffsets = async (harness: Awaited<ReturnType<typeof openLog>>) =>
    (await harness.disk.list(PARTITION))
      .filter((name) => name.endsWith('.log'))
      .map((name) => parseInt(name, 10))

  it('begins a new segment before the size passes segment.bytes', async () => {
    const harness = await filledLog(10, { segmentBytes: 1000 })
    expect(await baseOffsets(harness)).toEqual([0, 3, 6, 9])
    expect(readAll(harness.log)).toHaveLength(10)
  })

  it('begins a new segment when the records in it are older than segment.ms', async () => {
    const harness = await openLog({ config: { segmentMs: 1000 } })
    const at = (timestamp: number) => aBatch({ timestamps: [timestamp] })
    for (const ms of [0, 1000, 1001]) harness.log.append(at(START_MS + ms), CLIENT)
    expect(await baseOffsets(harness)).toEqual([0, 2])
  })

  it('begins a new segment when an index is full', async () => {
    const config = { segmentIndexBytes: 36, indexIntervalBytes: 0 }
    const harness = await openLog({ config })
    for (let ms = 0; ms < 9; ms++) {
      harness.log.append(aBatch({ timestamps: [START_MS + ms] }), CLIENT)
    }
    await harness.log.flush()
    expect(await baseOffsets(harness)).toEqual([0, 3, 6])
  })

  it('writes indexes and snapshot of a sealed segment in the format of Kafka', async () => {
    const config = { segmentBytes: 400, indexIntervalBytes: 50 }
    const { log, disk } = await openLog({ config })
    const spec = { producerId: 9, producerEpoch: 2 }
    const sizeBytes = aBatch({ values: [padded('0', 50)] }).length
    for (let sequence = 0; sequence < 4; sequence++) {
      const timestamps = [START_MS + sequence]
      const values = [padded(`${sequence}`, 50)]
      log.append(aBatch({ ...spec, baseSequence: sequence, timestamps, values }), CLIENT)
    }
    await log.close()
    const hex = async (name: string) =>
      (await disk.readFile(`${PARTITION}/${name}`))!.toString('hex')
    const int = (value: number, bytes: number) =>
      BigInt.asUintN(bytes * 8, BigInt(value))
        .toString(16)
        .padStart(bytes * 2, '0')
    const base = '00000000000000000000'
    expect(await hex(`${base}.index`)).toBe(
      int(1, 4) + int(sizeBytes, 4) + int(2, 4) + int(2 * sizeBytes, 4),
    )
    expect(await hex(`${base}.timeindex`)).toBe(
      int(START_MS + 1, 8) + int(1, 4) + int(START_MS + 2, 8) + int(2, 4),
    )
    const snapshot = await hex('00000000000000000003.snapshot')
    expect(snapshot.slice(0, 4)).toBe(int(1, 2))
    expect(snapshot.slice(12)).toBe(
      int(1, 4) + // entries
        int(9, 8) + // producer id
        int(2, 2) + // epoch
        int(2, 4) + // last sequence
        int(2, 8) + // last offset
        int(0, 4) + // offset delta
        int(START_MS + 2, 8) + // timestamp
        int(-1, 4) + // coordinator epoch
        int(-1, 8), // first offset of the open transaction
    )
  })

  it('writes checkpoints and metadata in the format of Kafka', async () => {
    const { disk, manager } = await filledLog(2, {})
    await manager.close()
    const text = async (name: string) => String(await disk.readFile(`${DIRECTORY}/${name}`))
    expect(await text('recovery-point-offset-checkpoint')).toBe('0\n1\norders 0 2\n')
    expect(await text('replication-offset-checkpoint')).toBe('0\n1\norders 0 2\n')
    expect(await text('log-start-offset-checkpoint')).toBe('0\n1\norders 0 0\n')
    expect(await text('orders-0/leader-epoch-checkpoint')).toBe('0\n1\n0 0\n')
    expect(await text('orders-0/partition.metadata')).toBe(
      'version: 0\ntopic_id: bHm1ZSy6R7iYR-VuT7Z0QQ',
    )
    expect(await text('.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":-1}')
    expect(await text('meta.properties')).toMatch(
      /^cluster.id=cluster-a\ndirectory.id=.{22}\nnode.id=1\nversion=1\n$/,
    )
  })
})

describe('retention', () => {
  const small = { segmentBytes: 1000, fileDeleteDelayMs: 100 }

  it('deletes segments that are too old, the last one too, and keeps the offsets', async () => {
    const harness = await filledLog(10, { ...small, retentionMs: 5000 })
    await harness.clock.advance(5000)
    await harness.log.applyRetention()
    expect(harness.log.logStartOffset).toBe(0)
    await harness.clock.advance(1)
    await harness.log.applyRetention()
    expect(harness.log).toMatchObject({ logStartOffset: 10, logEndOffset: 10, sizeBytes: 0 })
    const { log } = await crashAndReopen(harness)
    expect(log.append(aBatch(), CLIENT).firstOffset).toBe(10)
  })

  it('deletes the oldest segments while the others hold retention.bytes', async () => {
    const { log, disk, clock } = await filledLog(10, { ...small, retentionBytes: 1500 })
    await log.applyRetention()
    expect(log.logStartOffset).toBe(3)
    expect(log.sizeBytes).toBeGreaterThanOrEqual(1500)
    const deleted = async () =>
      (await disk.list(PARTITION)).filter((name) => name.endsWith('.deleted')).length
    expect(await deleted()).toBe(3)
    await clock.advance(100)
    expect(await deleted()).toBe(0)
    expect(readAll(log).map(([offset]) => offset)).toEqual([3, 4, 5, 6, 7, 8, 9])
  })

  it('LOG-6: deletes nothing above the high watermark', async () => {
    const { log } = await filledLog(10, { ...small, retentionBytes: 0 })
    const second = await filledLog(10, { ...small, retentionBytes: 0 })
    await log.applyRetention()
    expect(log.logStartOffset).toBe(10)
    second.log.setHighWatermark(5)
    await second.log.applyRetention()
    expect(second.log.logStartOffset).toBe(3)
  })

  it('LOG-6: deletes nothing by time or size from a topic that is only compacted', async () => {
    const config = { ...small, retentionMs: 1, retentionBytes: 1 }
    const { log, clock } = await filledLog(10, { ...config, cleanupPolicy: ['compact'] })
    await clock.advance(60_000)
    await log.applyRetention()
    expect(log.logStartOffset).toBe(0)
    log.updateConfig({ ...log.config, cleanupPolicy: ['compact', 'delete'] })
    await log.applyRetention()
    expect(log.logStartOffset).toBe(10)
  })

  it('deletes on request up to the high watermark, for good when it resolves', async () => {
    const harness = await filledLog(10, small)
    await expect(harness.log.deleteRecordsBefore(11)).rejects.toMatchObject({
      code: 'LOG_OFFSET_OUT_OF_RANGE',
    })
    await harness.log.deleteRecordsBefore(7)
    expect(readAll(harness.log).map(([offset]) => offset)).toEqual([7, 8, 9])
    const { log } = await crashAndReopen(harness)
    expect(log.logStartOffset).toBe(7)
    expect(log.sizeBytes).toBeLessThan(1500)
  })
})

describe('truncation', () => {
  it('removes whole batches from the offset on, for good, and takes others then', async () => {
    let harness = await filledLog(10, { segmentBytes: 1000 }, { producerId: -1 })
    await harness.manager.checkpoint()
    await harness.log.truncateTo(4)
    expect(harness.log).toMatchObject({ logEndOffset: 4, highWatermark: 4, flushedOffset: 4 })
    expect(harness.log.append(aBatch({ values: ['new'] }), CLIENT).firstOffset).toBe(4)
    await harness.log.flush()
    expect(readAll(harness.log).slice(3)).toEqual([
      [3, padded('3')],
      [4, 'new'],
    ])
    harness = await crashAndReopen(harness)
    expect(harness.log.failure).toBeNull()
    expect(readAll(harness.log)).toHaveLength(5)
  })

  it('forgets producers and epochs of what it removed', async () => {
    const { log } = await openLog()
    const from = (baseSequence: number) => aBatch({ producerId: 9, producerEpoch: 0, baseSequence })
    log.append(from(0), { leaderEpoch: 1, origin: 'client' })
    log.append(from(1), { leaderEpoch: 2, origin: 'client' })
    await log.truncateTo(1)
    expect(log.latestEpoch()).toBe(1)
    expect(log.append(from(1), CLIENT)).toMatchObject({ isDuplicate: false, firstOffset: 1 })
  })

  // It forgot where the log ended if the index named the first batch that went.
  it('cuts at any offset, wherever the entries of the index are', async () => {
    for (let offset = 1; offset < 6; offset++) {
      const { log } = await openLog({ config: { indexIntervalBytes: 0 } })
      for (let count = 0; count < 6; count++) log.append(aBatch(), CLIENT)
      await log.truncateTo(offset)
      expect(log.logEndOffset).toBe(offset)
    }
  })

  // The recovery point was saved where the cut was asked for, and the next start missed what lay below it.
  it('is no loss for a start after a crash if the cut is inside a batch', async () => {
    const harness = await openLog()
    harness.log.append(aBatch({ values: ['a', 'b'] }), CLIENT)
    harness.log.append(aBatch({ values: ['c', 'd'] }), CLIENT)
    await harness.log.truncateTo(3)
    const { log } = await crashAndReopen(harness)
    expect(log.failure).toBeNull()
    expect(log.logEndOffset).toBe(2)
  })

  it('cuts inside a batch before it, and everything at the start', async () => {
    const { log } = await openLog()
    log.append(aBatch({ values: ['a', 'b'] }), CLIENT)
    log.append(aBatch({ values: ['c', 'd'] }), CLIENT)
    await log.truncateTo(3)
    expect(log.logEndOffset).toBe(2)
    await log.truncateTo(0)
    expect(log).toMatchObject({ logEndOffset: 0, sizeBytes: 0 })
    await log.truncateTo(7)
    expect(log.logEndOffset).toBe(0)
  })
})

describe('times and epochs', () => {
  it('finds the first record that is not older, in any segment and inside a batch', async () => {
    const { log } = await openLog({ config: { segmentBytes: 400, indexIntervalBytes: 0 } })
    const times = [10, 20, 15, 40, 30, 50].map((ms) => START_MS + ms)
    for (let index = 0; index < 6; index += 2) {
      const values = [padded(`${index}`, 60), padded(`${index + 1}`, 60)]
      log.append(aBatch({ values, timestamps: times.slice(index, index + 2) }), {
        leaderEpoch: index,
        origin: 'client',
      })
    }
    const found = (ms: number) => log.offsetForTimestamp(START_MS + ms)?.offset ?? null
    expect([0, 10, 11, 20, 21, 40, 41, 50, 51].map(found)).toEqual([0, 0, 1, 1, 3, 3, 5, 5, null])
    expect(log.offsetForTimestamp(START_MS + 21)).toEqual({
      offset: 3,
      timestamp: START_MS + 40,
      leaderEpoch: 2,
    })
    expect(log.maxTimestampOffset()).toEqual({
      offset: 5,
      timestamp: START_MS + 50,
      leaderEpoch: 4,
    })
    await log.flush()
    log.setHighWatermark(6)
    await log.deleteRecordsBefore(4)
    expect(found(0)).toBe(4)
  })

  it('finds nothing in an empty log', async () => {
    const { log } = await openLog()
    expect(log.offsetForTimestamp(0)).toBeNull()
    expect(log.maxTimestampOffset()).toBeNull()
    expect(log.latestEpoch()).toBe(-1)
    expect(log.endOffsetForEpoch(0)).toEqual({ epoch: -1, endOffset: -1 })
  })

  it('knows where an epoch stopped, also after a crash', async () => {
    const harness = await openLog()
    for (const leaderEpoch of [1, 1, 4]) {
      harness.log.append(aBatch(), { leaderEpoch, origin: 'client' })
    }
    await harness.log.flush()
    const { log } = await crashAndReopen(harness)
    expect([0, 1, 2, 4, 5].map((epoch) => log.endOffsetForEpoch(epoch))).toEqual([
      { epoch: 0, endOffset: 0 },
      { epoch: 1, endOffset: 2 },
      { epoch: 1, endOffset: 2 },
      { epoch: 4, endOffset: 3 },
      { epoch: -1, endOffset: -1 },
    ])
  })
})

describe('the tail in memory', () => {
  it('serves live readers without a read of the file', async () => {
    const { log, disk } = await openLog()
    log.append(aBatch({ values: ['a'] }), CLIENT)
    await log.flush()
    disk.options = { onOperation: ({ kind }) => (kind === 'read' ? new Error('read') : null) }
    expect(recordsOf(log.read(0, NO_LIMIT).records)).toEqual([[0, 'a']])
  })

  it('keeps no large request alive for the small batch that came with it', async () => {
    const { log } = await openLog()
    const sent = aBatch({ values: ['x'.repeat(20_000)] })
    const request = Buffer.alloc(10 << 20)
    sent.copy(request)
    log.append(request.subarray(0, sent.length), CLIENT)
    const { records } = log.read(0, NO_LIMIT)
    expect(records.length).toBe(sent.length)
    expect(records.buffer.byteLength).toBeLessThan(1 << 20)
  })

  it('is bounded over all logs, and what it drops is read from the file', async () => {
    const { manager, log } = await openLog({ tailCacheBytes: 2000 })
    const other = await manager.createLog({ ...log, topic: 'other', config: log.config })
    for (let index = 0; index < 20; index++) {
      log.append(aBatch({ values: [padded(`${index}`)] }), CLIENT)
      other.append(aBatch({ values: [padded(`other ${index}`)] }), CLIENT)
      if (index % 5 === 0) await tick()
    }
    expect(readAll(log).map(([, value]) => value)).toEqual(
      Array.from({ length: 20 }, (_, index) => padded(`${index}`)),
    )
    expect(readAll(other, 500)).toHaveLength(20)
  })
})

describe('a deletion of the log', () => {
  // The old log's retention went on by path, and took the first segment of the new log away.
  it('leaves a new log of the same name alone, however slow retention of the old one is', async () => {
    const config = { segmentBytes: 300, retentionMs: 1, fileDeleteDelayMs: 0 }
    const { manager, log, clock, disk } = await filledLog(6, config)
    await clock.advance(60_000)
    const goOn = Promise.withResolvers<void>()
    const list = disk.list.bind(disk)
    const slowList = jest
      .spyOn(disk, 'list')
      .mockImplementationOnce((directory) => goOn.promise.then(() => list(directory)))
    const retention = log.applyRetention().catch(() => undefined)
    while (slowList.mock.calls.length === 0) await tick()
    const recreation = manager
      .deleteLog('orders', 0)
      .then(() =>
        manager.createLog({ topic: 'orders', partition: 0, topicId: TOPIC_ID, config: log.config }),
      )
    for (let turn = 0; turn < 20; turn++) await tick()
    goOn.resolve()
    await retention
    const again = await recreation
    again.append(aBatch({ values: ['new'] }), CLIENT)
    await again.flush()
    await clock.advance(1)
    const names = await disk.list(PARTITION)
    expect(names.filter((name) => name.includes('.log'))).toEqual(['00000000000000000000.log'])
  })
})

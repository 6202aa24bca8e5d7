import { S3Store } from '../src/s3-store'
import { someRecords, startTask, T0 } from './harness'
import { describeWithS3, S3Bed } from './s3-bed'
import type { Properties } from '@millrace/connect-api'

const RECORDS = 2_000

describeWithS3('S3 sink task with a real server', () => {
  let bed: S3Bed
  beforeAll(async () => {
    bed = await S3Bed.open()
  })
  afterAll(() => bed.close())
  beforeEach(() => bed.newBucket())

  const aTask = (properties: Properties = {}) => {
    const all = bed.properties({ 'flush.size': '100', ...properties })
    return startTask(new S3Store(bed.config(all), { connectMs: 500, idleMs: 500 }), all)
  }
  const objects = async () => {
    const keys = await bed.list()
    const texts = keys.map(async (key) => [key, (await bed.read(key)).toString()] as const)
    return Object.fromEntries(await Promise.all(texts))
  }
  const records = someRecords(0, RECORDS, (n) => ({ n, text: 'x'.repeat(100) }))
  const expected = Object.fromEntries(
    Array.from({ length: RECORDS / 100 }, (_, index) => {
      const lines = records.slice(index * 100, index * 100 + 100)
      return [
        `topics/orders/partition=0/orders+0+${String(index * 100).padStart(10, '0')}.json`,
        lines.map(({ value }) => `${JSON.stringify(value)}\n`).join(''),
      ]
    }),
  )

  it.each([
    ['busy', 3_000],
    ['cut', 1_000],
    ['hang', 1_000],
    ['lose-reply', 1_000],
  ] as const)(
    'loses and doubles nothing while the server is in trouble (%s for %i ms)',
    async (kind, outageMs) => {
      const { task, put, reaches } = await aTask()
      await put(records.slice(0, 500))
      const end = bed.proxy.fault(kind)
      const timer = setTimeout(end, outageMs)
      for (let from = 500; from < RECORDS; from += 250)
        await put(records.slice(from, from + 250), 100)
      clearTimeout(timer)
      end()
      await put([], 10)
      await reaches(RECORDS)
      await task.stop()
      expect(await objects()).toEqual(expected)
    },
    20_000,
  )

  it('takes no more records while the server is away, and says so soon', async () => {
    const { task, put } = await aTask()
    const end = bed.proxy.fault('hang')
    const startedMs = performance.now()
    await expect(put(records)).rejects.toMatchObject({ kind: 'retriable' })
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    const requests = bed.proxy.seen.length
    await expect(put(records)).rejects.toMatchObject({ kind: 'retriable' })
    expect(bed.proxy.seen.length - requests).toBeLessThanOrEqual(8) // one object is tried, not all
    end()
    await task.stop()
  })

  it('writes the very same objects again after a crash', async () => {
    const first = await aTask()
    await first.put(records.slice(0, 1050))
    await first.reaches(1000)
    const before = await objects()
    // It dies here: nothing is stopped, the offset of an earlier commit counts.
    const second = await aTask()
    await second.put(records.slice(400))
    await second.reaches(RECORDS)
    const after = await objects()
    expect(after).toEqual(expected)
    expect(after).toMatchObject(before)
    await second.task.stop()
    await first.task.stop()
  })

  it('uploads a large object in parts and shows nothing of it before its end', async () => {
    const { task, put, reaches } = await aTask({ 'flush.size': '13000' })
    const large = someRecords(0, 13_000, (n) => ({ n, text: 'y'.repeat(1000) }))
    for (let from = 0; from < 12_000; from += 2000) await put(large.slice(from, from + 2000))
    expect(await bed.list()).toEqual([])
    expect(await bed.openUploads()).toHaveLength(1)
    await put(large.slice(12_000))
    await reaches(13_000)
    const [text] = Object.values(await objects())
    expect(text.split('\n')).toHaveLength(13_001)
    await task.stop()
  })

  it('closes quiet objects on schedule', async () => {
    const bedOfTask = await aTask({ 'flush.size': '1000', 'rotate.schedule.interval.ms': '60000' })
    await bedOfTask.put(records.slice(0, 10))
    bedOfTask.nowMs += 60_000
    await bedOfTask.put([])
    await bedOfTask.reaches(10)
    expect(await bed.list()).toHaveLength(1)
    await bedOfTask.task.stop()
  })

  it('leaves nothing behind of a partition that is taken away in the middle of an upload', async () => {
    const { task, put } = await aTask({ 'flush.size': '100000' })
    await put(someRecords(0, 8_000, (n) => ({ n, text: 'y'.repeat(1000) })))
    expect(await bed.openUploads()).toHaveLength(1)
    await task.close([T0])
    expect(await bed.openUploads()).toEqual([])
    expect(await bed.list()).toEqual([])
    await task.stop()
  })
})

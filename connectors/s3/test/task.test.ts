import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type Properties, RetriableError } from '@millrace/connect-api'
import { FolderStore } from '../src/folder-store'
import type { ObjectStore, ObjectUpload } from '../src/store'
import { someRecords, startTask, T0, until } from './harness'

const BY_FIELD: Properties = {
  'partitioner.class': 'io.confluent.connect.storage.partitioner.FieldPartitioner',
  'partition.field.name': 'kind',
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'))
})
afterEach(() => rm(folder, { recursive: true }))

const aTask = (properties: Properties = {}, store: ObjectStore = new FolderStore(folder)) =>
  startTask(store, properties)

/** Every file below the folder with what is in it, parts of unfinished ones included. */
async function objects(): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) =>
    /\.(json|gz|part)$/.test(name),
  )
  const texts = names.sort().map(async (name) => {
    return [name, await readFile(join(folder, name), 'utf8')] as const
  })
  return Object.fromEntries(await Promise.all(texts))
}

const numbersIn = (texts: Record<string, string>) =>
  Object.values(texts)
    .join('')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { n: number }).n)
    .sort((a, b) => a - b)

/** A folder store that does not complete what matches `refused`. */
class ShakyStore implements ObjectStore {
  refused: RegExp | null = null
  readonly #inner = new FolderStore(folder)
  open = () => this.#inner.open()
  close = () => this.#inner.close()

  createObject(key: string): ObjectUpload {
    const inner = this.#inner.createObject(key)
    return {
      write: (chunks) => inner.write(chunks),
      complete: async () => {
        if (this.refused?.test(key)) throw new RetriableError('HTTP 503')
        await inner.complete()
      },
      abort: () => inner.abort(),
    }
  }
}

describe('S3 sink task', () => {
  it('writes objects of flush.size records under the keys of the Confluent sink', async () => {
    const bed = await aTask()
    await bed.put(someRecords(0, 7))
    await bed.reaches(6)
    await bed.task.stop()
    expect(await objects()).toEqual({
      'topics/orders/partition=0/orders+0+0000000000.json': '{"n":0}\n{"n":1}\n{"n":2}\n',
      'topics/orders/partition=0/orders+0+0000000003.json': '{"n":3}\n{"n":4}\n{"n":5}\n',
    })
  })

  it('gives out no offset before the object of its record is stored', async () => {
    const store = new ShakyStore()
    const bed = await aTask({}, store)
    store.refused = /./
    await bed.put(someRecords(0, 4))
    await bed.failsToStore()
    expect(await bed.safeOffset()).toBe(0)
    await expect(bed.put(someRecords(4, 3))).rejects.toMatchObject({ kind: 'retriable' })
    expect(await bed.safeOffset()).toBe(0)
    store.refused = null
    await bed.put(someRecords(4, 3))
    await bed.reaches(6)
    await bed.task.stop()
  })

  it('takes no record twice when the same put comes again after a failure', async () => {
    const store = new ShakyStore()
    const bed = await aTask({}, store)
    const records = someRecords(0, 20)
    await bed.put(records.slice(0, 1)) // the next put goes on in the middle of an object
    store.refused = /./
    await expect(bed.put(records.slice(1))).rejects.toMatchObject({ kind: 'retriable' })
    await expect(bed.put(records.slice(1))).rejects.toMatchObject({ kind: 'retriable' })
    store.refused = null
    await bed.put(records.slice(1))
    await bed.reaches(18)
    await bed.task.stop()
    expect(numbersIn(await objects())).toEqual(records.slice(0, 18).map(({ offset }) => offset))
  })

  it('gives out no offset of objects that were closed together before the last of them is stored', async () => {
    const store = new ShakyStore()
    const bed = await aTask({ 'flush.size': '4', ...BY_FIELD }, store)
    store.refused = /kind=odd/
    const kinds = ['even', 'odd']
    await bed.put(someRecords(0, 4, (n) => ({ n, kind: kinds[n % 2] })))
    await bed.failsToStore()
    const even = 'topics/orders/kind=even/orders+0+0000000000.json'
    await until(async () => Object.keys(await objects()).includes(even)) // it may still be on its way
    expect(Object.keys(await objects())).toContain(even)
    expect(await bed.safeOffset()).toBe(0)
    store.refused = null
    await bed.put([])
    await bed.reaches(4)
    await bed.task.stop()
  })

  it('takes records again when the reader was set back, and gives out no offset for what it dropped', async () => {
    const bed = await aTask({ 'flush.size': '100' })
    await bed.put(someRecords(1000, 5))
    await bed.put(someRecords(0, 5))
    expect(await bed.safeOffset()).toBe(0)
    await bed.task.stop()
    expect(Object.keys(await objects())).toEqual([
      'topics/orders/partition=0/orders+0+0000001000.json',
    ])
  })

  // What was taken before was compared with the offsets of the retried put, which all lay below it: they were dropped.
  it('loses no record when the reader was set back while the store is away', async () => {
    const store = new ShakyStore()
    const bed = await aTask({}, store)
    store.refused = /./
    await bed.put(someRecords(1000, 3))
    await bed.failsToStore()
    const records = someRecords(0, 6)
    await expect(bed.put(records)).rejects.toMatchObject({ kind: 'retriable' })
    store.refused = null
    await bed.put(records)
    await bed.reaches(6)
    await bed.task.stop()
    expect(numbersIn(await objects())).toEqual([0, 1, 2, 3, 4, 5, 1000, 1001, 1002])
  })

  it('writes gzip that any reader takes', async () => {
    const bed = await aTask({ 's3.compression.type': 'gzip', 'flush.size': '2000' })
    await bed.put(someRecords(0, 2000))
    await bed.reaches(2000)
    const path = join(folder, 'topics/orders/partition=0/orders+0+0000000000.json.gz')
    expect(
      gunzipSync(await readFile(path))
        .toString()
        .trim()
        .split('\n'),
    ).toHaveLength(2000)
    await bed.task.stop()
  })

  it('closes an object when the span of its timestamps is exceeded', async () => {
    const bed = await aTask({ 'flush.size': '1000', 'rotate.interval.ms': '5000' })
    await bed.put(someRecords(0, 12))
    await bed.reaches(10)
    await bed.task.stop()
    expect(Object.keys(await objects())).toHaveLength(2)
  })

  it('closes objects on schedule without new records, and asks to be called for it', async () => {
    const bed = await aTask({ 'flush.size': '1000', 'rotate.schedule.interval.ms': '60000' })
    await bed.put(someRecords(0, 2))
    expect(bed.requestedPuts.at(-1)).toBe(20_000)
    bed.nowMs += 20_000
    await bed.put([])
    await bed.reaches(2)
    await bed.task.stop()
  })

  it('fails on a tombstone by default, leaves it out with ignore, writes null with write', async () => {
    const tombstones = someRecords(0, 3, () => null)
    const failing = await aTask()
    await expect(failing.put(tombstones)).rejects.toMatchObject({ kind: 'record' })
    const ignoring = await aTask({ 'behavior.on.null.values': 'ignore' })
    await ignoring.put(tombstones)
    expect(await ignoring.safeOffset()).toBe(3)
    const writing = await aTask({ 'behavior.on.null.values': 'write' })
    await writing.put(tombstones)
    await writing.reaches(3)
    expect(Object.values(await objects())).toEqual(['null\nnull\nnull\n'])
  })

  it('counts records as done that transforms dropped on the way to it', async () => {
    const bed = await aTask()
    await bed.put(someRecords(0, 3))
    await bed.reaches(3)
    const [position] = await bed.task.preCommit([{ ...T0, offset: 500 }])
    expect(position.offset).toBe(500)
    await bed.task.stop()
  })

  it('reports a record that cannot be written and goes on after it', async () => {
    const bed = await aTask({ 'errors.tolerance': 'all', ...BY_FIELD })
    await bed.put(someRecords(0, 4, (n) => (n === 1 ? { n } : { n, kind: 'x' })))
    expect(bed.reported.map(({ offset }) => offset)).toEqual([1])
    await bed.reaches(4)
    expect(Object.keys(await objects())).toEqual(['topics/orders/kind=x/orders+0+0000000000.json'])
    await bed.task.stop()
  })

  it('reports a record whose fields make a key that no store takes', async () => {
    const bed = await aTask({ 'errors.tolerance': 'all', ...BY_FIELD })
    await bed.put(someRecords(0, 1, () => ({ kind: 'x'.repeat(2000) })))
    expect(bed.reported).toHaveLength(1)
    expect(await bed.safeOffset()).toBe(1)
    await bed.task.stop()
  })

  it('keeps apart what a transform sends from several topics to one, or from one to several', async () => {
    const bed = await aTask({ 'flush.size': '4' })
    const routed = someRecords(0, 4).map((record, index) =>
      record.with({ topic: index % 2 === 0 ? 'even' : 'odd' }),
    )
    await bed.put(routed)
    await bed.reaches(4)
    expect(await objects()).toEqual({
      'topics/even/partition=0/orders+0+0000000000.json': '{"n":0}\n{"n":2}\n',
      'topics/odd/partition=0/orders+0+0000000001.json': '{"n":1}\n{"n":3}\n',
    })
    await bed.task.stop()
  })

  it('forgets what it holds of a partition that is taken away', async () => {
    const bed = await aTask()
    await bed.put(someRecords(0, 2))
    await bed.task.close([T0])
    expect(await objects()).toEqual({})
    await bed.task.open([T0])
    await bed.put(someRecords(0, 3))
    await bed.reaches(3)
    await bed.task.stop()
  })

  it.each([
    ['topic partition', {}],
    ['field', BY_FIELD],
    ['span', { 'rotate.interval.ms': '4000' }],
  ])(
    'writes the same objects again when it starts over from any committed offset, by %s',
    async (_by, properties) => {
      const kinds = ['a', 'b', 'a', 'a', 'c', 'a', 'a']
      const records = someRecords(0, 40, (n) => ({ n, kind: kinds[n % kinds.length] }))
      const all = { 'flush.size': '7', ...properties }
      const whole = await aTask(all)
      await whole.put(records)
      await whole.task.stop()
      const expected = await objects()
      await rm(folder, { recursive: true })
      for (let crashAt = 1, from = 0; from < 40 && crashAt <= 41; crashAt += 5) {
        const bed = await aTask(all)
        await bed.put(records.slice(from, crashAt))
        await new Promise((resolve) => setTimeout(resolve, 5)) // some of it is stored by now
        from = (await bed.safeOffset()) ?? 0
        await bed.task.stop()
      }
      expect(await objects()).toEqual(expected)
    },
  )
})

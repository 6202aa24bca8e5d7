import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  NO_HEADERS,
  type Properties,
  parseConfig,
  RetriableError,
  SinkRecord,
  type SinkTaskContext,
  systemClock,
} from '@millrace/connect-api'
import { FolderStore } from './folder-store'
import { s3Sink } from './index'
import { objectKey } from './object-key'
import { options, validate } from './options'
import { isSpanExceeded, scheduledCloseMs } from './rotation'
import type { ObjectStore, ObjectUpload } from './store'
import { S3SinkTask } from './task'

const nothing = () => undefined
let folder: string
let nowMs: number
let requestedPuts: number[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'))
  nowMs = 1_000_000
  requestedPuts = []
})
afterEach(() => rm(folder, { recursive: true }))

const T0 = { topic: 'orders', partition: 0 }

async function aTask(properties: Properties = {}, store: ObjectStore = new FolderStore(folder)) {
  const { config, problems } = parseConfig(options, {
    's3.bucket.name': 'b',
    'store.url': `file://${folder}`,
    'flush.size': '3',
    ...properties,
  })
  expect(problems).toEqual([])
  const reported: SinkRecord[] = []
  const context: SinkTaskContext = {
    clock: { ...systemClock, now: () => nowMs },
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    connectorName: 'c',
    taskId: 0,
    properties: {},
    assignment: () => [T0],
    rewind: nothing,
    pause: nothing,
    resume: nothing,
    requestPut: (delayMs) => void requestedPuts.push(delayMs),
    requestCommit: nothing,
    reportError: async (record, error) => {
      if (properties['errors.tolerance'] !== 'all') throw error
      reported.push(record)
    },
  }
  const task = new S3SinkTask(config, context, store)
  await task.start()
  await task.open([T0])
  const safeOffset = async () => (await task.preCommit([{ ...T0, offset: 0 }]))[0]?.offset ?? null
  return { task, safeOffset, reported }
}

function someRecords(
  from: number,
  count: number,
  value: (offset: number) => unknown = (n) => ({ n }),
): SinkRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const offset = from + index
    return new SinkRecord({
      ...T0,
      offset,
      timestamp: offset * 1000,
      timestampType: 'CreateTime',
      keySchema: null,
      key: null,
      valueSchema: null,
      value: value(offset),
      headers: NO_HEADERS,
    })
  })
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 50))
const objects = async () =>
  (await readdir(folder, { recursive: true }))
    .filter((name) => /\.(json|gz|part)$/.test(name))
    .sort()

/** A folder store whose calls fail while `isAway` is set, after doing nothing or after doing their work. */
class ShakyStore implements ObjectStore {
  isAway = false
  readonly #inner = new FolderStore(folder)
  open = () => this.#inner.open()
  close = () => this.#inner.close()

  createObject(key: string): ObjectUpload {
    const inner = this.#inner.createObject(key)
    const failIfAway = () => {
      if (this.isAway) throw new RetriableError('HTTP 503')
    }
    return {
      write: (chunks) => inner.write(chunks),
      complete: async () => {
        failIfAway()
        await inner.complete()
      },
      abort: () => inner.abort(),
    }
  }
}

describe('S3 sink', () => {
  it('writes objects of flush.size records under the keys of the Confluent sink', async () => {
    const { task, safeOffset } = await aTask()
    await task.put(someRecords(0, 7))
    await settle()
    expect(await objects()).toEqual(
      expect.arrayContaining([
        'topics/orders/partition=0/orders+0+0000000000.json',
        'topics/orders/partition=0/orders+0+0000000003.json',
      ]),
    )
    const text = await readFile(
      join(folder, 'topics/orders/partition=0/orders+0+0000000003.json'),
      'utf8',
    )
    expect(text).toBe('{"n":3}\n{"n":4}\n{"n":5}\n')
    expect(await safeOffset()).toBe(6)
    await task.stop()
    expect(await objects()).toHaveLength(2) // the half object left nothing behind
  })

  it('gives out no offset before the object of its record is stored', async () => {
    const store = new ShakyStore()
    const { task, safeOffset } = await aTask({}, store)
    store.isAway = true
    await Promise.allSettled([task.put(someRecords(0, 4))]) // the failure shows now or at the next put
    await settle()
    expect(await safeOffset()).toBe(0)
    await expect(task.put(someRecords(4, 3))).rejects.toMatchObject({ kind: 'retriable' })
    store.isAway = false
    await task.put(someRecords(4, 3))
    await settle()
    expect(await safeOffset()).toBe(6)
    await task.stop()
  })

  it('takes no record twice when the same put comes again after a failure', async () => {
    const store = new ShakyStore()
    const { task } = await aTask({ 'flush.size': '2' }, store)
    const records = someRecords(0, 20)
    store.isAway = true
    await expect(task.put(records)).rejects.toMatchObject({ kind: 'retriable' })
    store.isAway = false
    await task.put(records)
    await settle()
    const texts = await Promise.all(
      (await objects()).map((name) => readFile(join(folder, name), 'utf8')),
    )
    const numbers = texts
      .join('')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { n: number }).n)
    expect(numbers).toEqual(records.map(({ offset }) => offset))
    await task.stop()
  })

  it('writes gzip that any reader takes', async () => {
    const { task } = await aTask({ 's3.compression.type': 'gzip', 'flush.size': '2000' })
    await task.put(someRecords(0, 2000))
    await settle()
    const bytes = await readFile(
      join(folder, 'topics/orders/partition=0/orders+0+0000000000.json.gz'),
    )
    expect(gunzipSync(bytes).toString().trim().split('\n')).toHaveLength(2000)
    await task.stop()
  })

  it('closes an object when the span of its timestamps is exceeded', async () => {
    const { task, safeOffset } = await aTask({ 'flush.size': '1000', 'rotate.interval.ms': '5000' })
    await task.put(someRecords(0, 12))
    await settle()
    expect((await objects()).filter((name) => name.endsWith('.json'))).toHaveLength(2)
    expect(await safeOffset()).toBe(10)
    await task.stop()
  })

  it('closes objects on schedule without new records, and asks to be called for it', async () => {
    const { task, safeOffset } = await aTask({
      'flush.size': '1000',
      'rotate.schedule.interval.ms': '60000',
    })
    await task.put(someRecords(0, 2))
    expect(requestedPuts.at(-1)).toBe(20_000)
    nowMs += 20_000
    await task.put([])
    await settle()
    expect(await safeOffset()).toBe(2)
    await task.stop()
  })

  it('fails on a tombstone by default, leaves it out with ignore, writes null with write', async () => {
    const tombstones = someRecords(0, 3, () => null)
    const failing = await aTask()
    await expect(failing.task.put(tombstones)).rejects.toMatchObject({ kind: 'record' })
    const ignoring = await aTask({ 'behavior.on.null.values': 'ignore' })
    await ignoring.task.put(tombstones)
    expect(await ignoring.safeOffset()).toBe(3)
    const writing = await aTask({ 'behavior.on.null.values': 'write' })
    await writing.task.put(tombstones)
    await settle()
    const [name] = await objects()
    expect(await readFile(join(folder, name), 'utf8')).toBe('null\nnull\nnull\n')
  })

  it('reports a record that cannot be written and goes on after it', async () => {
    const { task, reported, safeOffset } = await aTask({
      'errors.tolerance': 'all',
      'partitioner.class': 'io.confluent.connect.storage.partitioner.FieldPartitioner',
      'partition.field.name': 'n',
    })
    await task.put(someRecords(0, 3, (n) => (n === 1 ? { other: 1 } : { n: 5 })))
    expect(reported.map(({ offset }) => offset)).toEqual([1])
    expect(await safeOffset()).toBe(0)
    await task.put(someRecords(3, 1, () => ({ n: 5 })))
    await settle()
    expect(await objects()).toEqual(['topics/orders/n=5/orders+0+0000000000.json'])
    expect(await safeOffset()).toBe(4)
    await task.stop()
  })

  it('forgets what it holds of a partition that is taken away', async () => {
    const { task, safeOffset } = await aTask()
    await task.put(someRecords(0, 2))
    await task.close([T0])
    expect(await objects()).toEqual([])
    await task.open([T0])
    await task.put(someRecords(0, 3))
    await settle()
    expect(await safeOffset()).toBe(3)
    await task.stop()
  })
})

describe('options', () => {
  it('reports every problem at once', () => {
    const { problems } = parseConfig(options, {
      'flush.size': '0',
      'format.class': 'x',
      'store.url': 'ftp://a',
    })
    expect(problems.map(({ key }) => key).sort()).toEqual([
      'flush.size',
      'format.class',
      's3.bucket.name',
      'store.url',
    ])
  })

  it('wants both halves of a credential', () => {
    const { config } = parseConfig(options, {
      's3.bucket.name': 'b',
      'flush.size': '1',
      'aws.access.key.id': 'k',
    })
    expect(validate(config)).toMatchObject([{ key: 'aws.secret.access.key' }])
  })

  it('answers to the class name of the Confluent sink', () => {
    expect(s3Sink.classNames).toContain('io.confluent.connect.s3.S3SinkConnector')
  })
})

describe('rotation', () => {
  const rules = { flushSize: 10, rotateIntervalMs: 100, rotateScheduleIntervalMs: 1000 }
  it('measures the span from the first record', () => {
    const open = { recordCount: 1, firstTimestamp: 50, closesAtMs: 0 }
    expect([149, 150].map((at) => isSpanExceeded(rules, open, at))).toEqual([false, true])
  })
  it('closes at multiples of the schedule', () => {
    expect([0, 999, 1000].map((now) => scheduledCloseMs(rules, now))).toEqual([1000, 1000, 2000])
  })
})

describe('objectKey', () => {
  it('leaves out an empty top folder', () => {
    const names = { topicsDir: '', directoryDelim: '/', fileDelim: '+', offsetPadWidth: 10 }
    const parts = {
      topic: 't',
      partition: 2,
      encodedPartition: 'partition=2',
      startOffset: 12345678901,
      extension: '.json',
    }
    expect(objectKey(names, parts)).toBe('t/partition=2/t+2+12345678901.json')
  })
})

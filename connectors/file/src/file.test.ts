import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  INT32,
  NO_HEADERS,
  type PluginContext,
  type Properties,
  parseConfig,
  SinkRecord,
  type SinkTaskContext,
  type SourcePosition,
  type SourceTaskContext,
  STRING,
  structOf,
  systemClock,
} from '@millrace/connect-api'
import fc from 'fast-check'
import { LineSplitter } from './line-splitter'
import { fileSink } from './sink'
import { fileSource } from './source'

const nothing = () => undefined
const plugin: PluginContext = {
  clock: systemClock,
  logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
}

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-file-'))
  file = join(directory, 'lines.txt')
})
afterEach(() => rm(directory, { recursive: true }))

function aSource(stored: SourcePosition | null = null, properties: Properties = {}) {
  const all = { file, topic: 'lines', ...properties }
  const context: SourceTaskContext = {
    ...plugin,
    connectorName: 'c',
    taskId: 0,
    properties: all,
    offsets: async () => [stored],
  }
  return fileSource.createTask(parseConfig(fileSource.options, all).config, context)
}

describe('file source', () => {
  it('gives a record per line, and half a line only when it is complete', async () => {
    await writeFile(file, 'one\ntwo\r\nthr')
    const task = aSource()
    await task.start()
    const first = await task.poll()
    expect(first.map((r) => [r.value, r.sourceOffset])).toEqual([
      ['one', { position: 4 }],
      ['two', { position: 9 }],
    ])
    await appendFile(file, 'ee\n')
    expect((await task.poll()).map((r) => r.value)).toEqual(['three'])
    await task.stop()
  })

  it('goes on from the stored position', async () => {
    await writeFile(file, 'one\ntwo\n')
    const task = aSource({ position: 4 })
    await task.start()
    expect((await task.poll()).map((r) => r.value)).toEqual(['two'])
    await task.stop()
  })

  it('waits for a file that does not exist yet', async () => {
    const task = aSource()
    await task.start()
    expect(await task.poll()).toEqual([])
    await writeFile(file, 'late\n')
    expect((await task.poll()).map((r) => r.value)).toEqual(['late'])
    await task.stop()
  })

  it('keeps to batch.size', async () => {
    await writeFile(file, 'a\nb\nc\n')
    const task = aSource(null, { 'batch.size': '2' })
    await task.start()
    expect((await task.poll()).length).toBe(2)
    expect((await task.poll()).length).toBe(1)
    await task.stop()
  })

  it('ends a waiting poll when it is stopped', async () => {
    const task = aSource()
    await task.start()
    const polling = task.poll()
    await task.stop()
    expect(await polling).toEqual([])
  })
})

describe('LineSplitter', () => {
  it('finds the same lines however the bytes are cut', () => {
    const bytes = fc.array(fc.constantFrom('a', 'é', '\n', '\r\n', '\r', ''), { maxLength: 40 })
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(60)), (parts, cuts) => {
        const whole = Buffer.from(parts.join(''))
        const linesOf = (chunks: Buffer[]) => {
          const splitter = new LineSplitter(100)
          const lines: [string, number][] = []
          for (const chunk of chunks) {
            splitter.push(chunk)
            for (let line = splitter.next(); line !== null; line = splitter.next()) {
              lines.push([line, splitter.position])
            }
          }
          return lines
        }
        const borders = [
          0,
          ...cuts.filter((cut) => cut <= whole.length).sort((a, b) => a - b),
          whole.length,
        ]
        const pieces = borders
          .slice(1)
          .map((border, index) => whole.subarray(borders[index], border))
        expect(linesOf(pieces)).toEqual(linesOf([whole]))
      }),
    )
  })
})

describe('file sink', () => {
  function aSink() {
    const context: SinkTaskContext = {
      ...plugin,
      connectorName: 'c',
      taskId: 0,
      properties: {},
      assignment: () => [],
      rewind: nothing,
      pause: nothing,
      resume: nothing,
      requestPut: nothing,
      requestCommit: nothing,
      reportError: async () => undefined,
    }
    return fileSink.createTask(parseConfig(fileSink.options, { file }).config, context)
  }
  const aRecord = (value: unknown, valueSchema: SinkRecord['valueSchema']) =>
    new SinkRecord({
      topic: 't',
      partition: 0,
      offset: 0,
      timestampType: 'CreateTime',
      timestamp: 0,
      keySchema: null,
      key: null,
      headers: NO_HEADERS,
      value,
      valueSchema,
    })

  it('appends a line per record, text as it is and the rest as JSON', async () => {
    await writeFile(file, 'before\n')
    const task = aSink()
    await task.start()
    await task.put([
      aRecord('text', STRING),
      aRecord({ id: 1 }, structOf({ id: INT32 })),
      aRecord([1], null),
    ])
    const delivered = [{ topic: 't', partition: 0, offset: 3 }]
    expect(await task.preCommit?.(delivered)).toEqual(delivered)
    await task.stop()
    expect(await readFile(file, 'utf8')).toBe('before\ntext\n{"id":1}\n[1]\n')
  })

  it('fails as a configuration error when the file cannot be opened', async () => {
    file = join(directory, 'no', 'such', 'folder.txt')
    await expect(aSink().start()).rejects.toMatchObject({ kind: 'configuration' })
  })
})

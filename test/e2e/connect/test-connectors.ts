import {
  RecordError,
  RetriableError,
  sinkConnector,
  SourceRecord,
  sourceConnector,
  string,
  transform,
  type SinkRecord,
  type SinkTaskContext,
  type SourcePosition,
} from '@millrace/connect-api'
import { entryOf, type PluginSet } from '@millrace/connect-runtime'

/** What a test sees and steers of one connector. Shared by all its tasks; survives restarts of the worker. */
export class Remote {
  /** Lines that the source has to give, in order; its offset is the count of lines read. */
  readonly lines: string[] = []
  /** Thrown by the next polls, puts or starts, one each. */
  readonly pollErrors: unknown[] = []
  readonly putErrors: unknown[] = []
  readonly startErrors: unknown[] = []
  readonly openErrors: unknown[] = []
  readonly taskConfigErrors: unknown[] = []
  startCount = 0
  putCount = 0
  stopCount = 0
  /** Offsets that the runtime said are stored. */
  readonly committed: number[] = []
  /** Records that the sink took, in order. */
  readonly received: SinkRecord[] = []
  readonly opened: string[] = []
  readonly closed: string[] = []
  /** What preCommit allows; everything if null. */
  safeOffset: number | null = null
  context: SinkTaskContext | null = null
}

const remotes = new Map<string, Remote>()

export function remote(name: string): Remote {
  const known = remotes.get(name) ?? new Remote()
  remotes.set(name, known)
  return known
}

const POSITION: SourcePosition = { source: 'lines' }
const MAX_POLL_LINES = 100

const source = sourceConnector({
  name: 'lines-source',
  classNames: ['org.example.LinesSourceConnector'],
  version: '1.0',
  doc: 'Gives the lines of a test.',
  options: {
    remote: string('remote', { doc: 'Which lines.' }),
    topic: string('topic', { doc: 'Where to.' }),
    secret: string('secret', { default: '', doc: 'Nothing.' }),
  },
  taskConfigs: async (properties) => {
    throwNext(remote(properties.remote!).taskConfigErrors)
    return [properties]
  },
  createTask: (config, context) => {
    const shared = remote(config.remote)
    let position = 0
    return {
      start: async () => {
        shared.startCount += 1
        throwNext(shared.startErrors)
        const [offset] = await context.offsets([POSITION])
        position = Number(offset?.line ?? 0)
      },
      poll: async () => {
        throwNext(shared.pollErrors)
        const lines = shared.lines.slice(position, position + MAX_POLL_LINES)
        if (lines.length === 0) await context.clock.sleep(20)
        return lines.map((line) => lineRecord(config.topic, line, (position += 1)))
      },
      commit: async (offsets) => {
        for (const { offset } of offsets) shared.committed.push(Number(offset.line))
      },
      stop: async () => {
        shared.stopCount += 1
      },
    }
  },
})

function lineRecord(topic: string, line: string, position: number): SourceRecord {
  return new SourceRecord({
    topic,
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: null,
    value: line,
    timestamp: null,
    headers: [{ key: 'line', schema: null, value: position }],
    sourcePartition: POSITION,
    sourceOffset: { line: position },
  })
}

const sink = sinkConnector({
  name: 'remote-sink',
  classNames: ['org.example.RemoteSinkConnector'],
  version: '1.0',
  doc: 'Hands records to a test.',
  options: { remote: string('remote', { doc: 'Which test.' }) },
  createTask: (config, context) => {
    const shared = remote(config.remote)
    shared.context = context
    return {
      start: async () => {
        shared.startCount += 1
        throwNext(shared.startErrors)
      },
      open: async (partitions) => {
        throwNext(shared.openErrors)
        shared.opened.push(...partitions.map((one) => `${one.topic}-${one.partition}`))
      },
      put: async (records) => {
        shared.putCount += 1
        throwNext(shared.putErrors)
        for (const record of records) {
          if (record.value === 'unwritable') {
            await context.reportError(record, new RecordError('the target refuses it'))
          } else shared.received.push(record)
        }
      },
      preCommit: async (delivered) => {
        const { safeOffset } = shared
        return safeOffset === null
          ? delivered
          : delivered.map((one) => ({ ...one, offset: Math.min(one.offset, safeOffset) }))
      },
      close: async (partitions) => {
        shared.closed.push(...partitions.map((one) => `${one.topic}-${one.partition}`))
      },
      stop: async () => {
        shared.stopCount += 1
      },
    }
  },
})

const explode = transform({
  name: 'explode',
  classNames: ['org.example.Explode'],
  version: '1.0',
  doc: 'Throws at the value that it is told, drops another.',
  options: {
    at: string('at', { doc: 'The value.' }),
    drop: string('drop', { default: '', doc: 'The value to drop.' }),
  },
  create:
    ({ at, drop }) =>
    (record) => {
      if (record.value === at) throw new TypeError(`exploded at ${at}`)
      return record.value === drop ? null : record
    },
})

export const testPlugins: PluginSet = {
  connectors: [entryOf(source), entryOf(sink)],
  transforms: [explode],
  converters: [],
  headerConverters: [],
}

export const outage = () => new RetriableError('the target is away')

function throwNext(errors: unknown[]): void {
  if (errors.length > 0) throw errors.shift()
}

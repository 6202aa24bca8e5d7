import {
  RecordError,
  RetriableError,
  SinkRecord,
  transform,
  type Clock,
} from '@millrace/connect-api'
import { systemClock } from '@millrace/base'
import { converters, headerConverters } from '@millrace/converters'
import { silentLogger } from '@millrace/telemetry'
import { transforms } from '@millrace/transforms'
import { PluginRegistry } from '../plugins/registry'
import { createConverters, createTransformChain } from './build'
import { RecordErrors, type RecordErrorOptions } from './record-errors'
import { Backoff } from './retry'
import type { StageMark } from './stage'

const drop = transform({
  name: 'drop',
  classNames: ['org.example.Drop'],
  version: '1',
  doc: '',
  options: {},
  create: () => () => null,
})
const registry = new PluginRegistry({ logger: silentLogger }, [
  { connectors: [], transforms: [...transforms, drop], converters, headerConverters },
])
const aMark = (): StageMark => ({ stage: 'TRANSFORMATION', plugin: '' })
const aRecord = (fields: Partial<SinkRecord> = {}) =>
  new SinkRecord({
    topic: 'shop.orders',
    partition: 0,
    offset: 1,
    timestamp: 2,
    timestampType: 'CreateTime',
    keySchema: null,
    key: null,
    valueSchema: null,
    value: 'v',
    headers: [],
    ...fields,
  })

describe('TransformChain', () => {
  const router = {
    'transforms.r.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.r.regex': 'shop\\.(.*)',
    'transforms.r.replacement': '$1',
  }

  it('applies transforms in order and keeps the original position', () => {
    const chain = createTransformChain(registry, {
      transforms: 'r, again',
      ...router,
      'transforms.again.type': 'RegexRouter',
      'transforms.again.regex': 'orders',
      'transforms.again.replacement': 'final',
    })
    const out = chain.apply(aRecord(), aMark())
    expect(out?.topic).toBe('final')
    expect(out?.originalTopic).toBe('shop.orders')
  })

  it.each([
    ['TopicNameMatches', { pattern: 'shop\\..*' }, aRecord(), true],
    ['TopicNameMatches', { pattern: 'shop' }, aRecord(), false],
    ['RecordIsTombstone', {}, aRecord({ value: null }), true],
    ['RecordIsTombstone', {}, aRecord(), false],
    [
      'HasHeaderKey',
      { name: 'h' },
      aRecord({ headers: [{ key: 'h', schema: null, value: 1 }] }),
      true,
    ],
    ['HasHeaderKey', { name: 'h' }, aRecord(), false],
  ])(
    'drops where the predicate %s %j holds, or with negate where it does not',
    (type, options, record, holds) => {
      const withNegate = (negate: string) =>
        createTransformChain(registry, {
          transforms: 'd',
          'transforms.d.type': 'Drop',
          'transforms.d.predicate': 'p',
          'transforms.d.negate': negate,
          predicates: 'p',
          'predicates.p.type': `org.apache.kafka.connect.transforms.predicates.${type}`,
          ...Object.fromEntries(
            Object.entries(options).map(([key, value]) => [`predicates.p.${key}`, value]),
          ),
        })
      expect(withNegate('false').apply(record, aMark()) === null).toBe(holds)
      expect(withNegate('true').apply(record, aMark()) === null).toBe(!holds)
    },
  )

  it('marks which transform was at work', () => {
    const mark = aMark()
    createTransformChain(registry, { transforms: 'r', ...router }).apply(aRecord(), mark)
    expect(mark.plugin).toBe('org.apache.kafka.connect.transforms.RegexRouter')
  })
})

describe('createConverters', () => {
  it("uses the worker's converter with the worker's options unless the connector names one", () => {
    const worker = {
      'key.converter': 'StringConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
    }
    const value = { a: 1 }
    const ofWorker = createConverters(registry, {}, worker)
    expect(ofWorker.value.fromConnect('t', null, value)?.toString()).toBe('{"a":1}')
    const own = createConverters(registry, { 'value.converter': 'JsonConverter' }, worker)
    expect(own.value.fromConnect('t', null, value)?.toString()).toBe(
      '{"schema":null,"payload":{"a":1}}',
    )
  })
})

describe('RecordErrors', () => {
  const options: RecordErrorOptions = {
    tolerance: 'none',
    isLogEnabled: false,
    isPositionLogged: false,
    retryTimeoutMs: 0,
    retryDelayMaxMs: 60_000,
  }
  /** Time passes only by sleeping. */
  function makeErrors(changed: Partial<RecordErrorOptions>) {
    let nowMs = 0
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => nowMs,
      sleep: async (delayMs) => {
        nowMs += delayMs
      },
    }
    const random = { int: () => 200, bytes: (count: number) => Buffer.alloc(count) }
    return new RecordErrors({ clock, random, logger: silentLogger }, { ...options, ...changed })
  }
  const position = { topic: 't', partition: 0, offset: 1, timestamp: 2 }
  const { signal } = new AbortController()

  it('fails the task with the cause and the stage if nothing is tolerated', () => {
    const cause = new Error('boom')
    const skip = () =>
      makeErrors({}).skip(cause, { stage: 'VALUE_CONVERTER', plugin: 'x' }, position)
    expect(skip).toThrow(expect.objectContaining({ kind: 'record', cause }))
    expect(skip).toThrow(/VALUE_CONVERTER/)
  })

  it('skips with errors.tolerance=all, but never what a human must fix', () => {
    const errors = makeErrors({ tolerance: 'all' })
    errors.skip(new RecordError('bad'), aMark(), position)
    const configuration = Object.assign(new Error('no'), { kind: 'configuration' })
    expect(() => errors.skip(configuration, aMark(), position)).toThrow(configuration)
  })

  it('tries a retriable failure again until errors.retry.timeout', async () => {
    let count = 0
    const step = async () => {
      count += 1
      throw new RetriableError('busy')
    }
    const first = new RetriableError('busy')
    expect(await makeErrors({}).retry(step, first, signal)).toBe(first)
    expect(count).toBe(0)
    await makeErrors({ retryTimeoutMs: 10_000 }).retry(step, first, signal)
    expect(count).toBe(6) // 0.3, 0.6, 1.2, 2.4, 4.8 and what is left of 10 s
  })

  it('stops trying once it works or can never work', async () => {
    const errors = makeErrors({ retryTimeoutMs: -1 })
    expect(await errors.retry(async () => undefined, new RetriableError('x'), signal)).toBeNull()
    const fatal = new Error('never')
    const failing = async () => {
      throw fatal
    }
    expect(await errors.retry(failing, new RetriableError('x'), signal)).toBe(fatal)
  })
})

describe('Backoff', () => {
  it('doubles up to its maximum, varies by a fifth at most and starts over after a success', () => {
    for (const part of [0, 200]) {
      const backoff = new Backoff(
        { random: { int: () => part, bytes: () => Buffer.alloc(0) } },
        { initialMs: 100, maxMs: 1000 },
      )
      const factor = 0.8 + part / 1000
      const delays = Array.from({ length: 6 }, () => backoff.nextMs())
      expect(delays).toEqual([100, 200, 400, 800, 1000, 1000].map((delay) => delay * factor))
      backoff.reset()
      expect(backoff.nextMs()).toBe(100 * factor)
    }
  })
})

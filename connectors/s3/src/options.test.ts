import { parseConfig, type Properties } from '@millrace/connect-api'
import { s3Sink } from './index'
import { objectKey } from './object-key'
import { options, validate } from './options'
import { isSpanExceeded, scheduledCloseMs } from './rotation'

describe('options', () => {
  it('reports every problem at once', () => {
    const { problems } = parseConfig(options, {
      'flush.size': '0',
      'format.class': 'x',
      'store.url': 'ftp://a',
      timezone: 'Mars/Base',
      'path.format': 'MMM',
    })
    expect(problems.map(({ key }) => key).sort()).toEqual([
      'flush.size',
      'format.class',
      'path.format',
      's3.bucket.name',
      'store.url',
      'timezone',
    ])
  })

  it.each([
    [{ 'aws.access.key.id': 'k' }, ['aws.secret.access.key']],
    [{ 'partitioner.class': 'FieldPartitioner' }, ['partition.field.name']],
    [{ 'partitioner.class': 'TimeBasedPartitioner' }, ['path.format', 'partition.duration.ms']],
    [{ 'partitioner.class': 'DailyPartitioner' }, []],
  ])('names what %j leaves out', (properties, missing) => {
    const name = (properties as Properties)['partitioner.class']
    const { config } = parseConfig(options, {
      's3.bucket.name': 'b',
      'flush.size': '1',
      ...properties,
      ...(name && { 'partitioner.class': `io.confluent.connect.storage.partitioner.${name}` }),
    })
    expect(validate(config).map(({ key }) => key)).toEqual(missing)
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
      encodedPartition: 'partition=2',
      originalTopic: 't',
      originalPartition: 2,
      startOffset: 12345678901,
      extension: '.json',
    }
    expect(objectKey(names, parts)).toBe('t/partition=2/t+2+12345678901.json')
  })
})

import { ConfigurationError } from '@millrace/connect-api'
import { ConnectHarness } from './harness'
import { outage, remote } from './test-connectors'
import { eventually } from '../wait'

let harness: ConnectHarness
beforeAll(async () => {
  harness = await ConnectHarness.start()
}, 30_000)
afterAll(() => harness.close())

const sourceConfig = (name: string, extra: Record<string, string> = {}) => ({
  'connector.class': 'lines-source',
  remote: name,
  topic: name,
  ...extra,
})
const sinkConfig = (name: string, extra: Record<string, string> = {}) => ({
  'connector.class': 'remote-sink',
  remote: name,
  topics: name,
  ...extra,
})
const status = async (name: string) =>
  (await harness.rest('GET', `/connectors/${name}/status`)).body
const received = (name: string) => remote(name).received.map(({ value }) => value)

describe('source tasks', () => {
  it('carry records in order, store their offsets and tell the source', async () => {
    const shared = remote('ordered')
    const lines = Array.from({ length: 2_500 }, (_, index) => `line ${index}`)
    shared.lines.push(...lines)
    await harness.create('ordered', sourceConfig('ordered'))
    await eventually(async () => expect(await harness.values('ordered')).toEqual(lines))
    await eventually(() => expect(shared.committed.at(-1)).toBe(2_500))
    const [{ headers }] = await harness.readTopic('ordered')
    expect(headers.map(({ key, value }) => [key, value?.toString()])).toEqual([['line', '1']])
  })

  it('go on after a restart of the worker where the log had everything', async () => {
    const shared = remote('resumed')
    shared.lines.push('one', 'two')
    await harness.create('resumed', sourceConfig('resumed'))
    await eventually(async () => expect(await harness.values('resumed')).toEqual(['one', 'two']))
    await harness.restartWorker()
    shared.lines.push('three')
    await eventually(async () =>
      expect(await harness.values('resumed')).toEqual(['one', 'two', 'three']),
    )
  })

  it('count records that a transform drops as done', async () => {
    const shared = remote('filtered')
    shared.lines.push('keep', 'drop me')
    await harness.create(
      'filtered',
      sourceConfig('filtered', {
        transforms: 'x',
        'transforms.x.type': 'Explode',
        'transforms.x.at': 'never',
        'transforms.x.drop': 'drop me',
      }),
    )
    await eventually(() => expect(shared.committed.at(-1)).toBe(2))
    expect(await harness.values('filtered')).toEqual(['keep'])
  })

  it('fail with the cause when a transform throws, and nothing else does', async () => {
    const shared = remote('exploding')
    shared.lines.push('fine', 'boom', 'after')
    await harness.create('bystander', sourceConfig('bystander'))
    const transforms = {
      transforms: 'x',
      'transforms.x.type': 'org.example.Explode',
      'transforms.x.at': 'boom',
    }
    await harness.rest('POST', '/connectors', {
      name: 'exploding',
      config: sourceConfig('exploding', transforms),
    })
    const task = await harness.untilTask('exploding', 'FAILED')
    expect(task.trace).toContain('exploded at boom')
    expect(task.trace).toContain('TRANSFORMATION')
    expect((await status('exploding')).connector.state).toBe('RUNNING')
    remote('bystander').lines.push('alive')
    await eventually(async () => expect(await harness.values('bystander')).toEqual(['alive']))

    const config = sourceConfig('exploding', { ...transforms, 'errors.tolerance': 'all' })
    await harness.rest('PUT', '/connectors/exploding/config', config)
    await eventually(async () =>
      expect(await harness.values('exploding')).toEqual(['fine', 'after']),
    )
  })

  it('poll again after an outage, with the cause in the status meanwhile', async () => {
    const shared = remote('recovering')
    await harness.create('recovering', sourceConfig('recovering'))
    shared.pollErrors.push(outage(), outage())
    await eventually(async () => {
      const task = await harness.untilTask('recovering', 'RUNNING')
      expect(task.trace).toContain('the target is away')
    })
    shared.lines.push('back')
    await eventually(async () => expect(await harness.values('recovering')).toEqual(['back']))
    await eventually(async () =>
      expect((await harness.untilTask('recovering', 'RUNNING')).trace).toBeUndefined(),
    )
    expect(shared.startCount).toBe(1)
  })

  it('start afresh when the start failed in a way that may pass', async () => {
    const shared = remote('late')
    shared.startErrors.push(outage())
    await harness.create('late', sourceConfig('late'))
    shared.lines.push('one')
    await eventually(async () => expect(await harness.values('late')).toEqual(['one']))
    expect(shared.startCount).toBe(2)
    expect(shared.stopCount).toBe(1)
  })

  it('fail at once when a human must act, and run again when restarted', async () => {
    const shared = remote('misconfigured')
    shared.startErrors.push(new ConfigurationError('wrong password'))
    const config = sourceConfig('misconfigured')
    await harness.rest('POST', '/connectors', { name: 'misconfigured', config })
    const task = await harness.untilTask('misconfigured', 'FAILED')
    expect(task.trace).toContain('wrong password')
    const path = '/connectors/misconfigured/restart?includeTasks=true&onlyFailed=true'
    const { body } = await harness.rest('POST', path)
    expect(body.connector.state).toBe('RUNNING')
    expect(body.tasks[0].state).toBe('RESTARTING')
    await harness.untilTask('misconfigured', 'RUNNING')
  })

  it('create their topics as topic.creation.* says', async () => {
    remote('shaped').lines.push('one')
    await harness.create(
      'shaped',
      sourceConfig('shaped', {
        'topic.creation.default.partitions': '3',
        'topic.creation.default.replication.factor': '1',
      }),
    )
    await eventually(async () => {
      const topics = await harness.client.admin().topics(['shaped'])
      expect(topics[0]?.partitions).toHaveLength(3)
    })
  })
})

describe('sink tasks', () => {
  it('deliver records in order and commit what the sink says is safe', async () => {
    const shared = remote('sunk')
    shared.safeOffset = 2
    await harness.createTopic('sunk')
    await harness.produce('sunk', ['a', 'b', 'c', null])
    await harness.create('sunk', sinkConfig('sunk'))
    await eventually(() => expect(received('sunk')).toEqual(['a', 'b', 'c', null]))
    expect(shared.opened).toEqual(['sunk-0'])
    const offsets = async () => (await harness.rest('GET', '/connectors/sunk/offsets')).body.offsets
    await eventually(async () =>
      expect(await offsets()).toEqual([
        { partition: { kafka_topic: 'sunk', kafka_partition: 0 }, offset: { kafka_offset: 2 } },
      ]),
    )
    await harness.restartWorker()
    await eventually(() => expect(received('sunk')).toEqual(['a', 'b', 'c', null, 'c', null]))
    expect(shared.closed).toEqual(['sunk-0'])
  })

  it('get the same records again after a retriable failure, without leaving the group', async () => {
    const shared = remote('stubborn')
    await harness.createTopic('stubborn')
    await harness.create('stubborn', sinkConfig('stubborn'))
    await eventually(() => expect(shared.opened).toEqual(['stubborn-0']))
    shared.putErrors.push(outage(), outage())
    await harness.produce('stubborn', ['a', 'b'])
    await eventually(async () => {
      const task = await harness.untilTask('stubborn', 'RUNNING')
      expect(task.trace).toContain('the target is away')
    })
    await eventually(() => expect(received('stubborn')).toEqual(['a', 'b']))
    await eventually(async () =>
      expect((await harness.untilTask('stubborn', 'RUNNING')).trace).toBeUndefined(),
    )
    expect(shared.opened).toEqual(['stubborn-0'])
    expect(shared.startCount).toBe(1)
  })

  // A sink that loads its position in open() was given records of partitions that it had never opened.
  it('put nothing of a partition that could not be opened: they start afresh', async () => {
    const shared = remote('unopened')
    await harness.createTopic('unopened')
    await harness.produce('unopened', ['a'])
    shared.openErrors.push(outage())
    await harness.create('unopened', sinkConfig('unopened'))
    await eventually(() => expect(received('unopened')).toEqual(['a']))
    expect(shared.opened).toEqual(['unopened-0'])
    expect(shared.startCount).toBe(2)
  })

  it('get the call again that they asked for and refused, with the pauses of an outage', async () => {
    const shared = remote('asking')
    await harness.createTopic('asking')
    await harness.create('asking', sinkConfig('asking'))
    await eventually(() => expect(shared.opened).toEqual(['asking-0']))
    shared.putErrors.push(outage(), outage())
    shared.context!.requestPut(0)
    await eventually(() => expect(shared.putCount).toBe(3))
    expect(shared.putErrors).toEqual([])
  })

  it('fail at a record that cannot be read, or send it to the dead letter topic and go on', async () => {
    await harness.createTopic('broken')
    await harness.produce('broken', ['{"n":1}', 'no json', '{"n":2}'])
    const json = {
      'value.converter': 'JsonConverter',
      'value.converter.schemas.enable': 'false',
    }
    await harness.rest('POST', '/connectors', {
      name: 'broken',
      config: sinkConfig('broken', json),
    })
    const task = await harness.untilTask('broken', 'FAILED')
    expect(task.trace).toContain('VALUE_CONVERTER')
    await harness.rest(
      'PUT',
      '/connectors/broken/config',
      sinkConfig('broken', {
        ...json,
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': 'broken-dlq',
        'errors.deadletterqueue.topic.replication.factor': '1',
        'errors.deadletterqueue.context.headers.enable': 'true',
      }),
    )
    await eventually(() => expect(received('broken')).toEqual([{ n: 1 }, { n: 2 }]))
    const [letter, ...others] = await eventually(async () => {
      const letters = await harness.readTopic('broken-dlq')
      expect(letters).toHaveLength(1)
      return letters
    })
    expect(others).toEqual([])
    expect(letter.value).toBe('no json')
    const headers = Object.fromEntries(
      letter.headers.map(({ key, value }) => [
        key.replace('__connect.errors.', ''),
        value?.toString(),
      ]),
    )
    expect(headers).toMatchObject({
      topic: 'broken',
      partition: '0',
      offset: '1',
      'connector.name': 'broken',
      'task.id': '0',
      stage: 'VALUE_CONVERTER',
      'class.name': 'JsonConverter',
      'exception.class.name': 'RecordError',
    })
  })

  it('send records that the sink reports to the dead letter topic as they were read', async () => {
    await harness.createTopic('reported')
    await harness.produce('reported', ['good', 'unwritable', 'fine'])
    await harness.create(
      'reported',
      sinkConfig('reported', {
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': 'reported-dlq',
        'errors.deadletterqueue.topic.replication.factor': '1',
      }),
    )
    await eventually(() => expect(received('reported')).toEqual(['good', 'fine']))
    await eventually(async () =>
      expect(await harness.values('reported-dlq')).toEqual(['unwritable']),
    )
  })

  it('read what topics.regex matches, also topics that come later', async () => {
    await harness.createTopic('regex-a')
    await harness.produce('regex-a', ['first'])
    const { topics: _, ...config } = sinkConfig('by-pattern', {
      'topics.regex': 'regex-.*',
      'consumer.override.metadata.max.age.ms': '500',
    })
    await harness.create('by-pattern', config)
    await eventually(() => expect(received('by-pattern')).toEqual(['first']))
    await harness.createTopic('regex-b')
    await harness.produce('regex-b', ['second'])
    await eventually(() => expect(received('by-pattern')).toEqual(['first', 'second']))
  })

  it('read again from where the sink rewinds to', async () => {
    const shared = remote('rewound')
    await harness.createTopic('rewound')
    await harness.produce('rewound', ['a', 'b'])
    await harness.create('rewound', sinkConfig('rewound'))
    await eventually(() => expect(received('rewound')).toEqual(['a', 'b']))
    shared.context!.rewind([{ topic: 'rewound', partition: 0, offset: 1 }])
    await eventually(() => expect(received('rewound')).toEqual(['a', 'b', 'b']))
  })

  it('do not get records while paused', async () => {
    await harness.createTopic('halted')
    await harness.create('halted', sinkConfig('halted'))
    await eventually(() => expect(remote('halted').opened).toEqual(['halted-0']))
    await harness.rest('PUT', '/connectors/halted/pause')
    await harness.untilTask('halted', 'PAUSED')
    await harness.produce('halted', ['late'])
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(received('halted')).toEqual([])
    await harness.rest('PUT', '/connectors/halted/resume')
    await eventually(() => expect(received('halted')).toEqual(['late']))
  })
})

// They came again after each restart, back to the last periodic flush: up to a minute by default.
describe('tasks that fail between two flushes', () => {
  let shortTerm: ConnectHarness
  beforeAll(async () => {
    shortTerm = harness
    harness = await ConnectHarness.start({ 'offset.flush.interval.ms': '60000' })
  }, 30_000)
  afterAll(async () => {
    await harness.close()
    harness = shortTerm
  })

  it('store the offsets of what a source gave before', async () => {
    const shared = remote('poisoned')
    shared.lines.push('one', 'two')
    const config = sourceConfig('poisoned', {
      transforms: 'explode',
      'transforms.explode.type': 'org.example.Explode',
      'transforms.explode.at': 'poison',
    })
    await harness.create('poisoned', config)
    await eventually(async () => expect(await harness.values('poisoned')).toEqual(['one', 'two']))
    shared.lines.push('three', 'poison', 'five')
    await harness.untilTask('poisoned', 'FAILED')
    shared.lines[3] = 'four'
    await harness.rest('POST', '/connectors/poisoned/tasks/0/restart')
    const all = ['one', 'two', 'three', 'four', 'five']
    await eventually(async () => expect(await harness.values('poisoned')).toEqual(all))
  })

  it('commit what a sink took before', async () => {
    const shared = remote('choking')
    await harness.createTopic('choking')
    await harness.create('choking', sinkConfig('choking'))
    await eventually(() => expect(shared.opened).toEqual(['choking-0']))
    await harness.produce('choking', ['a', 'b'])
    await eventually(() => expect(received('choking')).toEqual(['a', 'b']))
    shared.putErrors.push(new TypeError('a bug'))
    await harness.produce('choking', ['c'])
    await harness.untilTask('choking', 'FAILED')
    expect(shared.closed).toEqual(['choking-0'])
    await harness.rest('POST', '/connectors/choking/tasks/0/restart')
    await eventually(() => expect(received('choking')).toEqual(['a', 'b', 'c']))
  })
})

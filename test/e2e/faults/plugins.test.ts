import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Millrace } from '../../../examples/postgres-to-s3/millrace'
import { CleanUps, rest, untilTask } from './harness'
import { eventually } from '../wait'

jest.setTimeout(60_000)

/** What users may bring: plain JavaScript, without our packages. */
const PLUGINS = `
const { existsSync, writeFileSync } = require('node:fs')

const idle = () => new Promise((resolve) => setTimeout(resolve, 50, []))
const source = (name, task) => ({
  type: 'source', name, classNames: ['org.example.' + name], version: '1', doc: name, options: {},
  createTask: (config, context) => ({ start: async () => {}, poll: idle, stop: async () => {}, ...task(context) }),
})
const sink = (name, task) => ({ ...source(name, task), type: 'sink' })
const fail = (where) => () => { throw new Error('broken in ' + where) }

exports.plugins = [
  source('CreateThrows', fail('createTask')),
  source('StartThrows', () => ({ start: fail('start') })),
  source('PollThrows', () => ({ poll: fail('poll') })),
  source('PollRejectsOddly', () => ({ poll: () => Promise.reject(null) })),
  source('PollGivesNonsense', () => ({ poll: async () => [{ nonsense: true }] })),
  source('StopThrows', () => ({ poll: fail('poll'), stop: fail('stop') })),
  { ...source('TaskConfigsThrows', () => ({})), taskConfigs: async () => fail('taskConfigs')() },
  sink('PutThrows', () => ({ put: fail('put') })),
  // Once per file, else the worker would never come to rest.
  source('Crashes', ({ properties }) => ({
    start: async () => {
      if (existsSync(properties.marker)) return
      setTimeout(() => { writeFileSync(properties.marker, ''); fail('a timer')() }, 200)
    },
  })),
  source('RejectsInTheDark', ({ properties }) => ({
    start: async () => {
      if (existsSync(properties.marker)) return
      writeFileSync(properties.marker, '')
      void Promise.reject(new Error('broken in nobody\\'s promise'))
    },
  })),
  source('LeavesTheProcess', ({ properties }) => ({
    start: async () => {
      if (existsSync(properties.marker)) return
      writeFileSync(properties.marker, '')
      process.exit(7)
    },
  })),
]
exports.transforms = [
  {
    name: 'Explode', classNames: ['org.example.Explode'], version: '1', doc: 'Throws.', options: {},
    create: () => fail('apply'),
  },
]
`

const cleanUps = new CleanUps()
let directory: string
let millrace: Millrace

beforeAll(async () => {
  directory = cleanUps.directory()
  mkdirSync(join(directory, 'plugins/broken'), { recursive: true })
  writeFileSync(join(directory, 'plugins/broken/package.json'), '{"main": "main.js"}')
  writeFileSync(join(directory, 'plugins/broken/main.js'), PLUGINS)
  const args = ['-w', `plugin.path=${join(directory, 'plugins')}`]
  millrace = await Millrace.start(join(directory, 'data'), { args })
  cleanUps.add(() => millrace.kill())
  writeFileSync(at('in'), 'line 0\n')
  await millrace.createConnector('healthy-source', linesFrom('in', 'healthy'))
  await millrace.createConnector('healthy-sink', {
    'connector.class': 'FileStreamSink',
    file: at('out'),
    topics: 'healthy',
    ...STRINGS,
  })
})
afterAll(() => cleanUps.run())

/** Whatever a test did: the other connectors carry what comes now. */
let lineCount = 1
afterEach(async () => {
  const line = `line ${(lineCount += 1)}`
  writeFileSync(at('in'), `${line}\n`, { flag: 'a' })
  await eventually(() => {
    const text = existsSync(at('out')) ? readFileSync(at('out'), 'utf8') : ''
    expect(text.split('\n')).toContain(line)
  })
})

describe('a plugin that throws fails its task with the cause', () => {
  it.each([
    ['CreateThrows', /broken in createTask/],
    ['StartThrows', /broken in start/],
    ['PollThrows', /broken in poll/],
    ['PollRejectsOddly', /null/],
    ['PollGivesNonsense', /./],
    ['StopThrows', /broken in poll/],
  ])('%s', async (name, cause) => {
    await millrace.createConnector(name, { 'connector.class': `org.example.${name}` })
    const { trace } = await untilTask(millrace, name, 'FAILED')
    expect(trace).toMatch(cause)
    expect((await rest(millrace, 'DELETE', `/connectors/${name}`)).status).toBe(204)
  })

  it('PutThrows', async () => {
    const config = { 'connector.class': 'org.example.PutThrows', topics: 'healthy' }
    await millrace.createConnector('PutThrows', { ...config, ...STRINGS })
    expect((await untilTask(millrace, 'PutThrows', 'FAILED')).trace).toMatch(/broken in put/)
    expect((await rest(millrace, 'DELETE', '/connectors/PutThrows')).status).toBe(204)
  })

  it('a transform', async () => {
    await millrace.createConnector('exploding', {
      ...linesFrom('in', 'exploding'),
      transforms: 'boom',
      'transforms.boom.type': 'org.example.Explode',
    })
    expect((await untilTask(millrace, 'exploding', 'FAILED')).trace).toMatch(/broken in apply/)
    expect((await rest(millrace, 'DELETE', '/connectors/exploding')).status).toBe(204)
  })

  it('and a connector that cannot say its tasks is FAILED itself', async () => {
    const config = { 'connector.class': 'org.example.TaskConfigsThrows' }
    await millrace.createConnector('no-tasks', config)
    await eventually(async () => {
      const { body } = await rest(millrace, 'GET', '/connectors/no-tasks/status')
      expect(body).toMatchObject({
        connector: { state: 'FAILED', trace: expect.stringMatching(/broken in taskConfigs/) },
        tasks: [],
      })
    })
    expect((await rest(millrace, 'DELETE', '/connectors/no-tasks')).status).toBe(204)
  })
})

describe('a plugin that ends the worker thread', () => {
  it.each([
    ['Crashes', /broken in a timer/],
    ['RejectsInTheDark', /broken in nobody's promise/],
    ['LeavesTheProcess', /exit/],
  ])('does not end the broker, and the worker is started again: %s', async (name, cause) => {
    const broker = new Inquirer(`${millrace.addresses.admin}/api/topics`)
    const marker = at(`${name}.marker`)
    try {
      await millrace.createConnector(name, { 'connector.class': `org.example.${name}`, marker })
      await eventually(() => expect(existsSync(marker)).toBe(true))
      await eventually(() => expect(millrace.log).toMatch(cause))
      await untilTask(millrace, name, 'RUNNING') // at the address that it had before
      await untilTask(millrace, 'healthy-source', 'RUNNING')
    } finally {
      await broker.stop()
    }
    expect(broker.askedCount).toBeGreaterThan(5)
    expect(broker.failures).toEqual([])
    // The group may still rebalance, which is a 409.
    await eventually(async () =>
      expect((await rest(millrace, 'DELETE', `/connectors/${name}`)).status).toBe(204),
    )
  })
})

/** Asks an address again and again until it is stopped. */
class Inquirer {
  askedCount = 0
  readonly failures: string[] = []
  #isStopped = false
  readonly #asking: Promise<void>

  constructor(url: string) {
    this.#asking = this.#askUntilStopped(url)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#asking
  }

  async #askUntilStopped(url: string): Promise<void> {
    while (!this.#isStopped) {
      this.askedCount += 1
      const failure = await fetch(url).then(
        ({ ok, status }) => (ok ? null : `HTTP ${status}`),
        (error: unknown) => String(error),
      )
      if (failure !== null) this.failures.push(failure)
      await sleep(50)
    }
  }
}

const STRINGS = {
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
}

function at(name: string): string {
  return join(directory, name)
}

function linesFrom(name: string, topic: string): Record<string, string> {
  return { 'connector.class': 'FileStreamSource', file: at(name), topic, ...STRINGS }
}

// oxlint-disable typescript/no-explicit-any -- what a test expects of a body is its type
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { findKafka } from '../../peers/apache-kafka'
import { isOpensslHere } from '../broker/security/certificates'
import { eventually } from '../wait'
import { SecuredBed, type Program } from './bed'

/** The least that a worker needs (docs/security.md). */
const WORKER_RULES = [
  ...['CREATE', 'READ', 'WRITE', 'DESCRIBE_CONFIGS'].map((right) => `${right} topic mill-*`),
  'READ group mill',
]
const LINES = Array.from({ length: 500 }, (_, index) => `line ${index}`)

let bed: SecuredBed
let worker: Program

async function rest(method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(worker.ready.replace('connect=', '') + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}

async function create(name: string, config: Record<string, string>): Promise<void> {
  const { status, body } = await rest('POST', '/connectors', { name, config })
  expect([status, body.message]).toEqual([201, undefined])
}

/** Why a task failed. */
async function failureOf(name: string): Promise<string> {
  return eventually(async () => {
    const { body } = await rest('GET', `/connectors/${name}/status`)
    expect(body.tasks?.[0]?.state).toBe('FAILED')
    return body.tasks[0].trace as string
  })
}

function source(topic: string): Record<string, string> {
  return {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    file: bed.path('in.txt'),
    topic,
  }
}

function sink(topic: string, file: string): Record<string, string> {
  return {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    file: bed.path(file),
    topics: topic,
  }
}

function under(prefix: string, properties: Readonly<Record<string, string>>) {
  const entries = Object.entries(properties).map(([name, value]) => [prefix + name, value])
  return Object.fromEntries(entries) as Record<string, string>
}

const linesOf = (file: string): string[] =>
  existsSync(bed.path(file)) ? readFileSync(bed.path(file), 'utf8').split('\n').slice(0, -1) : []

const kafka = findKafka()
const brokers = [
  { of: 'this broker', missing: null, start: () => bed.startOurs() },
  {
    of: 'a real Kafka',
    missing: 'missing' in kafka ? kafka.missing : null,
    start: async () => ('missing' in kafka ? undefined : bed.startTheirs(kafka)),
  },
]

for (const { of, missing: missingBroker, start } of brokers) {
  const missing = isOpensslHere ? missingBroker : 'openssl'
  const title = `Connect on ${of}, secured`
  const describeUnlessMissing = missing === null ? describe : describe.skip
  describeUnlessMissing(missing === null ? title : `${title} (skipped: no ${missing})`, () => {
    beforeAll(async () => {
      bed = new SecuredBed()
      writeFileSync(bed.path('in.txt'), `${LINES.join('\n')}\n`)
      await start()
      await bed.allow('worker', ...WORKER_RULES)
      worker = await bed.run('worker', {
        ...bed.workerProperties('mill', bed.loginOf('worker')),
        ...under('producer.', bed.loginOf('source')),
        ...under('consumer.', bed.loginOf('sink')),
        ...under('admin.', bed.loginOf('source')),
      })
    }, 120_000)
    afterAll(() => bed?.close())

    it('copies a file to a file with the least rights, each client as its own user', async () => {
      await bed.allow('source', 'CREATE topic lines', 'WRITE topic lines')
      await bed.allow('sink', 'READ topic lines', 'READ group connect-copy')
      await create('lines', source('lines'))
      await create('copy', sink('lines', 'copy.txt'))
      await eventually(() => expect(linesOf('copy.txt')).toEqual(LINES))
      appendFileSync(bed.path('in.txt'), 'one more\n')
      await eventually(() => expect(linesOf('copy.txt')).toEqual([...LINES, 'one more']))
    })

    it('names the topic that a source may not create', async () => {
      await bed.allow('source', 'WRITE topic uncreated')
      await create('uncreated', source('uncreated'))
      expect(await failureOf('uncreated')).toContain('topic uncreated: TOPIC_AUTHORIZATION_FAILED')
    })

    it('names the topic that a source may not write', async () => {
      await bed.allow('source', 'CREATE topic unwritten', 'DESCRIBE topic unwritten')
      await create('unwritten', source('unwritten'))
      expect(await failureOf('unwritten')).toContain('unwritten-0: TOPIC_AUTHORIZATION_FAILED')
    })

    it('names the topic that a sink may not read', async () => {
      await bed.allow('sink', 'READ group connect-unread')
      await create('unread', sink('secret', 'unread.txt'))
      expect(await failureOf('unread')).toContain('topic secret: TOPIC_AUTHORIZATION_FAILED')
    })

    it('names the group that a sink may not join', async () => {
      await create('ungrouped', sink('lines', 'ungrouped.txt'))
      expect(await failureOf('ungrouped')).toContain(
        'group connect-ungrouped: GROUP_AUTHORIZATION_FAILED',
      )
    })

    it('says that a login was refused', async () => {
      const wrong = under('producer.override.', bed.loginOf('source', 'wrong'))
      await create('impostor', { ...source('lines'), ...wrong })
      expect(await failureOf('impostor')).toContain('refused the login by SCRAM-SHA-512')
    })

    it('lets a connector log in as somebody else, for each of its clients', async () => {
      await bed.allow('stranger', 'CREATE topic others', 'WRITE topic others', 'READ topic others')
      await bed.allow('stranger', 'READ group connect-other-copy')
      const login = bed.loginOf('stranger')
      const overrides = {
        ...under('producer.override.', login),
        ...under('admin.override.', login),
      }
      await create('others', { ...source('others'), ...overrides })
      const config = { ...sink('others', 'others.txt'), ...under('consumer.override.', login) }
      await create('other-copy', config)
      await eventually(() => expect(linesOf('others.txt')).toEqual([...LINES, 'one more']))
    })

    it('needs no right to see the configs of its topics', async () => {
      const rules = ['CREATE', 'READ', 'WRITE'].map((right) => `${right} topic blind-*`)
      await bed.allow('stranger', ...rules, 'READ group blind')
      const properties = bed.workerProperties('blind', bed.loginOf('stranger'))
      await (await bed.run('worker', properties)).end() // it makes them
      const again = await bed.run('worker', properties)
      expect(again.ready).toContain('connect=')
      await again.end()
    })

    it('does not start without rights of the worker, and names what is missing', async () => {
      const properties = bed.workerProperties('other', bed.loginOf('stranger'))
      await expect(bed.run('worker', properties)).rejects.toThrow(
        /topic other-\w+: TOPIC_AUTHORIZATION_FAILED/,
      )
    })

    it('does not start with a wrong password', async () => {
      const properties = bed.workerProperties('mill', bed.loginOf('worker', 'wrong'))
      await expect(bed.run('worker', properties)).rejects.toThrow('refused the login')
    })

    it('shows its topics on the admin page of who may see them', async () => {
      const args = ['--bootstrap-server', bed.bootstrap, '--admin-port', '0']
      const admin = await bed.run('admin', bed.loginOf('admin'), args)
      const response = await fetch(`${admin.ready.replace('admin=', '')}/api/topics`)
      const { topics } = (await response.json()) as { topics: { name: string }[] }
      expect(topics.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['lines', 'mill-configs']),
      )
    })
  })
}

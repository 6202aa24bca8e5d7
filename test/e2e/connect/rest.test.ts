// oxlint-disable typescript/no-explicit-any -- what a test expects of a body is its type
import { ConnectHarness } from './harness'
import { outage, remote } from './test-connectors'
import { eventually } from '../wait'

let harness: ConnectHarness
beforeAll(async () => {
  harness = await ConnectHarness.start()
}, 30_000)
afterAll(() => harness.close())

const sourceConfig = (name: string) => ({
  'connector.class': 'org.example.LinesSourceConnector',
  remote: name,
  topic: name,
})
const rest = (method: string, path: string, body?: unknown) => harness.rest(method, path, body)

describe('Connect REST', () => {
  it('tells its version and the id of the Kafka cluster', async () => {
    const { status, body } = await rest('GET', '/')
    expect(status).toBe(200)
    expect(body).toEqual({
      version: expect.stringMatching(/^\d+\.\d+/),
      commit: expect.any(String),
      kafka_cluster_id: expect.stringMatching(/.+/),
    })
    expect((await rest('GET', '/health')).body.status).toBe('healthy')
  })

  it('creates a connector with 201 and a Location, and shows it everywhere', async () => {
    const config = sourceConfig('created')
    const answer = await rest('POST', '/connectors', { name: 'created', config })
    expect(answer.status).toBe(201)
    expect(answer.location).toBe('/connectors/created')
    expect(answer.body).toMatchObject({
      name: 'created',
      config: { ...config, name: 'created' },
      type: 'source',
    })
    const task = await harness.untilTask('created', 'RUNNING')
    expect(task).toEqual({
      id: 0,
      state: 'RUNNING',
      worker_id: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      version: '1.0',
    })
    expect((await rest('GET', '/connectors')).body).toContain('created')
    const expanded = (await rest('GET', '/connectors?expand=status&expand=info')).body
    expect(expanded.created.status.connector.state).toBe('RUNNING')
    expect(expanded.created.info.tasks).toEqual([{ connector: 'created', task: 0 }])
    expect((await rest('GET', '/connectors/created/tasks')).body).toEqual([
      { id: { connector: 'created', task: 0 }, config: expect.objectContaining(config) },
    ])
    expect((await rest('GET', '/connectors/created/tasks/0/status')).body).toEqual(task)
    expect((await rest('GET', '/connectors/created/config')).body).toEqual({
      ...config,
      name: 'created',
    })
  })

  it('answers 409 to a second connector of the same name', async () => {
    await harness.create('twice', sourceConfig('twice'))
    const { status, body } = await rest('POST', '/connectors', {
      name: 'twice',
      config: sourceConfig('twice'),
    })
    expect(status).toBe(409)
    expect(body).toEqual({ error_code: 409, message: expect.stringContaining('twice') })
  })

  it('answers 400 with every problem of a bad configuration', async () => {
    const { status, body } = await rest('POST', '/connectors', {
      name: 'bad',
      config: { 'connector.class': 'lines-source', 'tasks.max': '0', 'errors.tolerance': 'some' },
    })
    expect(status).toBe(400)
    expect(body.error_code).toBe(400)
    for (const key of ['remote', 'topic', 'tasks.max', 'errors.tolerance']) {
      expect(body.message).toContain(key)
    }
    expect((await rest('GET', '/connectors/bad')).status).toBe(404)
  })

  it.each([
    ['POST', '/connectors', '{"name": '],
    ['POST', '/connectors', '[]'],
    ['POST', '/connectors', { name: 'x', config: { a: {} } }],
    ['POST', '/connectors', { name: 'x', config: {}, initial_state: 'ASLEEP' }],
    [
      'POST',
      '/connectors',
      { name: 'x', config: { name: 'y', 'connector.class': 'lines-source' } },
    ],
    ['PUT', '/connectors/x/config', { name: 'y' }],
  ])('answers 400 to a body that makes no sense: %s %s %j', async (method, path, body) => {
    const answer = await rest(method, path, body)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({ error_code: 400, message: expect.any(String) })
  })

  it.each([
    ['GET', '/nowhere'],
    ['GET', '/connectors/none'],
    ['GET', '/connectors/none/config'],
    ['GET', '/connectors/none/status'],
    ['GET', '/connectors/none/tasks'],
    ['GET', '/connectors/none/tasks/0/status'],
    ['GET', '/connectors/none/offsets'],
    ['DELETE', '/connectors/none'],
    ['PUT', '/connectors/none/pause'],
    ['PUT', '/connectors/none/resume'],
    ['PUT', '/connectors/none/stop'],
    ['POST', '/connectors/none/restart'],
    ['POST', '/connectors/none/restart?includeTasks=true'],
    ['POST', '/connectors/none/tasks/0/restart'],
    ['GET', '/connector-plugins/none/config'],
  ])('answers 404 in the common shape: %s %s', async (method, path) => {
    const { status, body } = await rest(method, path)
    expect(status).toBe(404)
    expect(body).toEqual({ error_code: 404, message: expect.any(String) })
  })

  it.each([
    ['DELETE', '/connectors'],
    ['POST', '/connectors/none'],
    ['GET', '/connectors/none/pause'],
    ['PATCH', '/connectors/none/tasks/0/status'],
  ])('answers 405 to a method that a path does not have: %s %s', async (method, path) => {
    const { status, body } = await rest(method, path)
    expect(status).toBe(405)
    expect(body).toEqual({ error_code: 405, message: expect.any(String) })
  })

  it('takes a trailing slash, and a content type without a body', async () => {
    expect((await rest('GET', '/connectors/')).status).toBe(200)
    await harness.create('bodiless', sourceConfig('bodiless'))
    expect((await rest('PUT', '/connectors/bodiless/pause', '')).status).toBe(202)
    expect((await rest('DELETE', '/connectors/bodiless', '')).status).toBe(204)
  })

  it('answers 400 to a field that it does not know, and creates nothing', async () => {
    const request = { name: 'misspelt', config: sourceConfig('misspelt'), initialState: 'STOPPED' }
    const { status, body } = await rest('POST', '/connectors', request)
    expect(status).toBe(400)
    expect(body.message).toContain('initialState')
    expect((await rest('GET', '/connectors/misspelt')).status).toBe(404)
  })

  it('replaces a configuration with PUT: 201 if new, 200 if not, and the task runs with it', async () => {
    const shared = remote('replaced')
    const put = (topic: string) =>
      rest('PUT', '/connectors/replaced/config', { ...sourceConfig('replaced'), topic })
    expect((await put('replaced-a')).status).toBe(201)
    await harness.untilTask('replaced', 'RUNNING')
    shared.lines.push('one')
    await eventually(async () => expect(await harness.values('replaced-a')).toEqual(['one']))
    await eventually(() => expect(shared.committed).toContain(1))
    expect((await put('replaced-b')).status).toBe(200)
    await eventually(() => expect(shared.startCount).toBe(2))
    shared.lines.push('two')
    await eventually(async () => expect(await harness.values('replaced-b')).toEqual(['two']))
  })

  it('changes single keys with PATCH; null removes one', async () => {
    await harness.create('patched', { ...sourceConfig('patched'), secret: 'x' })
    const { status, body } = await rest('PATCH', '/connectors/patched/config', {
      secret: null,
      topic: 'other',
    })
    expect(status).toBe(200)
    expect(body.config).toEqual({ ...sourceConfig('patched'), topic: 'other', name: 'patched' })
  })

  it('pauses, resumes and stops', async () => {
    const shared = remote('steered')
    await harness.create('steered', sourceConfig('steered'))
    expect((await rest('PUT', '/connectors/steered/pause')).status).toBe(202)
    await harness.untilTask('steered', 'PAUSED')
    shared.lines.push('while paused')
    expect((await rest('PUT', '/connectors/steered/resume')).status).toBe(202)
    await harness.untilTask('steered', 'RUNNING')
    await eventually(async () => expect(await harness.values('steered')).toEqual(['while paused']))

    expect((await rest('PUT', '/connectors/steered/stop')).status).toBe(204)
    await eventually(async () => {
      const { body } = await rest('GET', '/connectors/steered/status')
      expect(body).toMatchObject({ connector: { state: 'STOPPED' }, tasks: [] })
      expect(shared.stopCount).toBe(shared.startCount)
    })
    await eventually(async () =>
      expect((await rest('GET', '/connectors/steered/offsets')).body).toEqual({
        offsets: [{ partition: { source: 'lines' }, offset: { line: 1 } }],
      }),
    )
    shared.lines.push('after the stop')
    expect((await rest('PUT', '/connectors/steered/resume')).status).toBe(202)
    await eventually(async () =>
      expect(await harness.values('steered')).toEqual(['while paused', 'after the stop']),
    )
  })

  it('creates a connector paused or stopped if asked', async () => {
    for (const state of ['PAUSED', 'STOPPED']) {
      const name = `initially-${state.toLowerCase()}`
      const config = sourceConfig(name)
      const { status } = await rest('POST', '/connectors', { name, config, initial_state: state })
      expect(status).toBe(201)
      await eventually(async () => {
        const { body } = await rest('GET', `/connectors/${name}/status`)
        expect(body.connector.state).toBe(state)
      })
      expect(remote(name).startCount).toBe(0)
      await rest('PUT', `/connectors/${name}/resume`)
      await harness.untilTask(name, 'RUNNING')
    }
  })

  it('restarts: 204 for the connector alone, 202 and the plan with flags, 204 for a task', async () => {
    const shared = remote('restarted')
    await harness.create('restarted', sourceConfig('restarted'))
    expect(await rest('POST', '/connectors/restarted/restart')).toMatchObject({
      status: 204,
      body: null,
    })
    expect(shared.startCount).toBe(1)
    const planned = await rest('POST', '/connectors/restarted/restart?includeTasks=true')
    expect(planned.status).toBe(202)
    expect(planned.body.connector.state).toBe('RESTARTING')
    expect(planned.body.tasks[0].state).toBe('RESTARTING')
    await eventually(() => expect(shared.startCount).toBe(2))
    const none = await rest(
      'POST',
      '/connectors/restarted/restart?includeTasks=true&onlyFailed=true',
    )
    expect(none.status).toBe(202)
    expect(none.body.tasks[0].state).not.toBe('RESTARTING')
    expect((await rest('POST', '/connectors/restarted/tasks/0/restart')).status).toBe(204)
    await eventually(() => expect(shared.startCount).toBe(3))
    expect((await rest('POST', '/connectors/restarted/tasks/7/restart')).status).toBe(404)
  })

  it('deletes with 204 and keeps the offsets for a connector of the same name', async () => {
    const shared = remote('deleted')
    await harness.create('deleted', sourceConfig('deleted'))
    shared.lines.push('one')
    await eventually(() => expect(shared.committed).toContain(1))
    expect((await rest('DELETE', '/connectors/deleted')).status).toBe(204)
    expect((await rest('GET', '/connectors/deleted/status')).status).toBe(404)
    await eventually(() => expect(shared.stopCount).toBe(1))
    shared.lines.push('two')
    await harness.create('deleted', sourceConfig('deleted'))
    await eventually(async () => expect(await harness.values('deleted')).toEqual(['one', 'two']))
  })

  it('keeps placeholders in everything it shows and stores', async () => {
    await harness.create('secretive', {
      ...sourceConfig('secretive'),
      secret: '${env:TEST_SECRET}',
    })
    const tasks = (await rest('GET', '/connectors/secretive/tasks')).body
    expect(tasks[0].config.secret).toBe('${env:TEST_SECRET}')
    const stored = await harness.values('connect-configs')
    expect(stored.join('\n')).not.toContain('hidden-value')
  })

  it('lists plugins and their options', async () => {
    const connectors = (await rest('GET', '/connector-plugins')).body
    expect(connectors).toContainEqual({
      class: 'org.example.LinesSourceConnector',
      type: 'source',
      version: '1.0',
    })
    expect(connectors).toContainEqual({
      class: 'io.debezium.connector.postgresql.PostgresConnector',
      type: 'source',
      version: expect.any(String),
    })
    const all = (await rest('GET', '/connector-plugins?connectorsOnly=false')).body
    const types = new Set(all.map(({ type }: { type: string }) => type))
    expect(types).toEqual(
      new Set(['source', 'sink', 'converter', 'header_converter', 'transformation', 'predicate']),
    )
    const options = (await rest('GET', '/connector-plugins/lines-source/config')).body
    const names = options.map(({ name }: { name: string }) => name)
    expect(names).toEqual(expect.arrayContaining(['remote', 'tasks.max', 'exactly.once.support']))
    const { body } = await rest('GET', '/connector-plugins/RegexRouter/config')
    expect(body[0]).toMatchObject({
      name: 'regex',
      type: 'STRING',
      required: true,
      default_value: null,
    })
  })

  it('validates without creating: 200 with the errors of each key', async () => {
    const { status, body } = await rest('PUT', '/connector-plugins/lines-source/config/validate', {
      'connector.class': 'org.example.LinesSourceConnector',
      name: 'v',
      topic: 't',
      transforms: 'r',
      'transforms.r.type': 'RegexRouter',
    })
    expect(status).toBe(200)
    expect(body.name).toBe('org.example.LinesSourceConnector')
    expect(body.error_count).toBe(3)
    const wrong = body.configs.filter(({ value }: any) => value.errors.length > 0)
    expect(wrong.map(({ value }: any) => value.name).sort()).toEqual([
      'remote',
      'transforms.r.regex',
      'transforms.r.replacement',
    ])
    const other = await rest('PUT', '/connector-plugins/remote-sink/config/validate', {
      'connector.class': 'lines-source',
    })
    expect(other.status).toBe(400)
  })

  it('keeps a connector RUNNING with the cause while its source system is away', async () => {
    const shared = remote('away')
    shared.taskConfigErrors.push(outage())
    await rest('POST', '/connectors', { name: 'away', config: sourceConfig('away') })
    await eventually(async () => {
      const { body } = await rest('GET', '/connectors/away/status')
      expect(body.connector.trace).toContain('the target is away')
      expect(body.connector.state).toBe('RUNNING')
    })
    await harness.untilTask('away', 'RUNNING')
    const { body } = await rest('GET', '/connectors/away/status')
    expect(body.connector.trace).toBeUndefined()
  })
})

// oxlint-disable typescript/no-explicit-any -- what a test expects of a body is its type
import { errorCode } from '@millrace/base'
import { startWorker } from '@millrace/connect-worker'
import { silentLogger } from '@millrace/telemetry'
import { ConnectHarness, startWorkerOn, type ReadRecord } from './harness'
import { remote } from './test-connectors'
import { eventually } from '../wait'

let harness: ConnectHarness
beforeAll(async () => {
  harness = await ConnectHarness.start({
    'offset.storage.partitions': '1',
    'status.storage.partitions': '1',
  })
}, 30_000)
afterAll(() => harness.close())

const config = (name: string) => ({ 'connector.class': 'lines-source', remote: name, topic: name })
const lastOf = (records: readonly ReadRecord[], key: string) => {
  const found = records.findLast((record) => record.key === key)
  return found?.value ? JSON.parse(found.value) : found?.value
}

/** A topic as a worker would make it, with settings of its own. */
const createCompacted = (name: string, configs: Record<string, string> = {}) =>
  harness.client.admin().createTopics([
    {
      name,
      partitions: 1,
      replicationFactor: 1,
      configs: { 'cleanup.policy': 'compact', ...configs },
    },
  ])

/** A worker of a group of its own. The caller closes it. */
async function workerOn(configTopic: string) {
  const worker = await startWorkerOn(harness.bootstrap, {
    'group.id': configTopic,
    'config.storage.topic': configTopic,
  })
  const call = async (method: string, body?: unknown) => {
    const response = await fetch(`${worker.restAddress}/connectors`, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
    return { status: response.status, body: await response.json() }
  }
  return { call, worker }
}

describe('internal topics', () => {
  it('hold configurations in the format of Kafka Connect', async () => {
    await harness.create('formats', config('formats'))
    await harness.rest('PUT', '/connectors/formats/stop')
    const records = await harness.readTopic('connect-configs')
    expect(lastOf(records, 'connector-formats')).toEqual({
      properties: { ...config('formats'), name: 'formats' },
    })
    expect(lastOf(records, 'task-formats-0')).toEqual({
      properties: {
        ...config('formats'),
        name: 'formats',
        'task.class': 'org.example.LinesSourceTask',
      },
    })
    const commits = records.filter(({ key }) => key === 'commit-formats').map(({ value }) => value)
    expect(commits).toEqual(['{"tasks":1}', '{"tasks":0}'])
    expect(lastOf(records, 'target-state-formats')).toEqual({
      state: 'PAUSED',
      'state.v2': 'STOPPED',
    })
    expect(lastOf(records, 'session-key')).toEqual({
      key: expect.stringMatching(/^[\w+/]{43}=$/),
      algorithm: 'HmacSHA256',
      'creation-timestamp': expect.any(Number),
    })
    await harness.rest('DELETE', '/connectors/formats')
    const after = await harness.readTopic('connect-configs')
    expect(lastOf(after, 'connector-formats')).toBeNull()
    expect(lastOf(after, 'target-state-formats')).toBeNull()
  })

  it('hold states in the format of Kafka Connect, with tombstones for what was deleted', async () => {
    await harness.create('states', config('states'))
    await eventually(async () =>
      expect(lastOf(await harness.readTopic('connect-status'), 'status-task-states-0')).toEqual({
        state: 'RUNNING',
        trace: null,
        worker_id: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        generation: expect.any(Number),
        version: '1.0',
      }),
    )
    await harness.rest('DELETE', '/connectors/states')
    await eventually(async () => {
      const records = await harness.readTopic('connect-status')
      expect(lastOf(records, 'status-connector-states')).toBeNull()
      expect(lastOf(records, 'status-task-states-0')).toBeNull()
    })
  })

  it('get offsets under the very key bytes that were read (CONNECT-7)', async () => {
    const key = '["stored", {"source" :"lines"}]'
    await harness.produce('connect-offsets', ['{"line":1}'], key)
    const shared = remote('stored')
    shared.lines.push('known already', 'new')
    await harness.create('stored', config('stored'))
    await eventually(async () => expect(await harness.values('stored')).toEqual(['new']))
    await eventually(async () =>
      expect(lastOf(await harness.readTopic('connect-offsets'), key)).toEqual({ line: 2 }),
    )
    const keys = (await harness.readTopic('connect-offsets')).map((record) => record.key)
    expect(keys.filter((one) => one?.includes('stored'))).toEqual([key, key])
  })

  it('do not stop the worker with records that are not theirs', async () => {
    for (const topic of ['connect-configs', 'connect-offsets', 'connect-status']) {
      await harness.produce(topic, ['no json', '[]', null], 'connector-junk')
    }
    await harness.restartWorker()
    expect((await harness.rest('GET', '/connectors')).body).not.toContain('junk')
  })

  // The producer of the config topic had ended for good: only a restart of the worker helped.
  it('take further records after one that the cluster refuses', async () => {
    await createCompacted('narrow-configs', { 'max.message.bytes': '1500' })
    const { call, worker } = await workerOn('narrow-configs')
    try {
      const wide = { ...config('wide'), 'errors.log.enable': 'true', secret: 'x'.repeat(2_000) }
      expect(await call('POST', { name: 'wide', config: wide })).toMatchObject({ status: 500 })
      expect(await call('POST', { name: 'slim', config: config('slim') })).toMatchObject({
        status: 201,
      })
    } finally {
      await worker.close()
    }
  })

  it('are read anew when they were made anew', async () => {
    await createCompacted('lost-configs')
    const { call, worker } = await workerOn('lost-configs')
    try {
      for (const name of ['lost-1', 'lost-2']) await call('POST', { name, config: config(name) })
      await harness.client.admin().deleteTopics(['lost-configs'])
      await createCompacted('lost-configs')
      const { status } = await call('POST', { name: 'found', config: config('found') })
      expect(status).toBe(201)
    } finally {
      await worker.close()
    }
  }, 30_000)

  // A worker that wrote to a deleted topic had the broker create it, not compacted: its records would have gone after a week.
  it('are waited for, not created by writing, while they are gone', async () => {
    await createCompacted('gone-configs')
    const { call, worker } = await workerOn('gone-configs')
    try {
      const admin = harness.client.admin()
      await admin.deleteTopics(['gone-configs'])
      const created = call('POST', { name: 'patient', config: config('patient') })
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(await admin.topics(['gone-configs'])).toEqual([])
      await createCompacted('gone-configs')
      expect(await created).toMatchObject({ status: 201 })
    } finally {
      await worker.close()
    }
  }, 30_000)

  it('must be compacted: a worker refuses a topic from which records would vanish', async () => {
    await harness.createTopic('not-compacted')
    const started = startWorkerOn(harness.bootstrap, { 'config.storage.topic': 'not-compacted' })
    await expect(started.catch(errorCode)).resolves.toBe('CONNECT_TOPIC_NOT_COMPACTED')
  })
})

describe('a worker', () => {
  it('names everything that is wrong with its configuration', async () => {
    const started = startWorker({
      logger: silentLogger,
      properties: { 'bootstrap.servers': 'nowhere', listeners: 'ftp://x', 'group.id': '' },
    })
    await expect(started).rejects.toThrow(/bootstrap\.servers[^]*group\.id[^]*listeners/)
  })

  it('does not start with a converter that there is none of', async () => {
    const started = startWorkerOn(harness.bootstrap, { 'key.converter': 'NoSuchConverter' })
    await expect(started).rejects.toThrow(/key\.converter.*NoSuchConverter/)
  })

  // What was read from the config topic while it closed started tasks that nobody stopped any more.
  it('leaves no task running when it closes in the middle of a change', async () => {
    const names = ['hasty-1', 'hasty-2', 'hasty-3', 'hasty-4']
    const { call, worker } = await workerOn('hasty-configs')
    for (const name of names) await call('POST', { name, config: config(name) })
    await worker.close()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const runs = names.map((name) => remote(name).startCount - remote(name).stopCount)
    expect(runs).toEqual([0, 0, 0, 0])
  })

  it('says that its port is in use', async () => {
    const { port } = new URL(harness.worker.restAddress)
    const started = startWorkerOn(harness.bootstrap, { listeners: `http://127.0.0.1:${port}` })
    await expect(started.catch(errorCode)).resolves.toBe('WORKER_PORT_UNAVAILABLE')
  })

  it('shares the tasks with another one and takes them back when that leaves', async () => {
    await harness.createTopic('shared', 4)
    await harness.rest('POST', '/connectors', {
      name: 'shared',
      config: {
        'connector.class': 'remote-sink',
        remote: 'shared',
        topics: 'shared',
        'tasks.max': '4',
      },
    })
    const workers = async () => {
      const { body } = await harness.rest('GET', '/connectors/shared/status')
      expect(body.tasks).toHaveLength(4)
      for (const task of body.tasks) expect(task.state).toBe('RUNNING')
      return body.tasks.map((task: any) => task.worker_id).sort()
    }
    const own = harness.worker.restAddress.slice('http://'.length)
    await eventually(async () => expect(new Set(await workers())).toEqual(new Set([own])))
    const other = await harness.startAnotherWorker()
    try {
      const others = other.restAddress.slice('http://'.length)
      await eventually(async () =>
        expect(await workers()).toEqual([own, own, others, others].sort()),
      )
      const refused = await fetch(`${other.restAddress}/connectors/shared/pause`, { method: 'PUT' })
      expect(refused.status).toBe(409)
    } finally {
      await other.close()
    }
    await eventually(async () => expect(await workers()).toEqual([own, own, own, own]))
  }, 30_000)
})

import { nodeNet, systemClock, systemRandom } from '@millrace/base'
import {
  createClient,
  type Client,
  type Consumer,
  type ConsumerListener,
  type ConsumerOptions,
  type FetchedBatches,
  type TopicPartition,
} from '@millrace/client'
import { batch, nextBatchSize, RecordCursor } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { ApiKey } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from '../broker/harness'
import { until } from '../wait'

let broker: TestBroker
const clients: Client[] = []

beforeAll(async () => {
  broker = await startTestBroker({ 'group.min.session.timeout.ms': '500' })
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})
afterAll(() => broker.stop())

function aClient(): Client {
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger, net: nodeNet }
  const client = createClient(deps, { bootstrapServers: [broker.bootstrap], clientId: 'test' })
  clients.push(client)
  return client
}

/** Creates a topic whose partition p holds the values `p:0` to `p:n-1`. */
async function fill(topic: string, partitions: number, count: number): Promise<void> {
  const admin = aClient().admin()
  if ((await admin.topics([topic])).length === 0) {
    await admin.createTopics([{ name: topic, partitions, replicationFactor: 1 }])
  }
  await append(topic, partitions, { from: 0, count })
}

async function append(
  topic: string,
  partitions: number,
  { from, count }: { from: number; count: number },
): Promise<void> {
  const producer = aClient().producer()
  const produced = producer.begin()
  for (let i = from; i < from + count; i++) {
    for (let p = 0; p < partitions; p++) {
      produced.add(topic, p, Date.now(), null, Buffer.from(`${p}:${i}`))
    }
  }
  await produced.done()
  await producer.close()
}

/** `topic/partition:value` of the records, from `fromOffset` on. */
function valuesOf(fetched: readonly FetchedBatches[]): string[] {
  const values: string[] = []
  const cursor = new RecordCursor()
  for (const { topic, records, fromOffset } of fetched) {
    for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
      if (batch.isControl(records, at)) continue
      for (cursor.open(records, at); cursor.next(); ) {
        if (cursor.offset >= fromOffset) values.push(`${topic}/${String(cursor.value())}`)
      }
    }
  }
  return values
}

/** All values `p:i` of a topic. */
function expected(topic: string, partitions: number, count: number): string[] {
  const values: string[] = []
  for (let p = 0; p < partitions; p++) {
    for (let i = 0; i < count; i++) values.push(`${topic}/${p}:${i}`)
  }
  return values.sort()
}

async function read(consumer: Consumer, count: number, timeoutMs = 10_000): Promise<string[]> {
  const values: string[] = []
  const until = Date.now() + timeoutMs
  while (values.length < count && Date.now() < until) {
    values.push(...valuesOf(await consumer.poll(200)))
  }
  return values
}

const GROUP_TIMINGS = {
  sessionTimeoutMs: 3_000,
  heartbeatIntervalMs: 50,
  rebalanceTimeoutMs: 3_000,
  fetchMaxWaitMs: 50,
  metadataMaxAgeMs: 100,
} as const

function aMember(groupId: string, options: ConsumerOptions = {}): Consumer {
  return aClient().consumer({
    ...GROUP_TIMINGS,
    autoOffsetReset: 'earliest',
    groupId,
    ...options,
  })
}

const noListener: ConsumerListener = {
  onAssigned: async () => undefined,
  onRevoked: async () => undefined,
  onLost: async () => undefined,
}

describe('a consumer with assigned partitions', () => {
  it('reads from where it is told to', async () => {
    await fill('assigned', 2, 10)
    const consumer = aClient().consumer({})
    const [first, second] = [0, 1].map((partition) => ({ topic: 'assigned', partition }))
    consumer.assign([first, second])
    consumer.seek(first, 0)
    consumer.seek(second, 7)
    const values = await read(consumer, 13)
    expect(values.sort()).toEqual([
      ...expected('assigned', 1, 10),
      'assigned/1:7',
      'assigned/1:8',
      'assigned/1:9',
    ])
    expect(consumer.position(first)).toBe(10)
    await consumer.close()
  })

  it('returns from poll as soon as a record is there, and at once when it is closed', async () => {
    await fill('prompt', 1, 0)
    const consumer = aClient().consumer({ autoOffsetReset: 'earliest' })
    consumer.assign([{ topic: 'prompt', partition: 0 }])
    expect(await consumer.poll(100)).toEqual([])
    const polling = consumer.poll(30_000)
    await append('prompt', 1, { from: 0, count: 1 })
    expect(valuesOf(await polling)).toEqual(['prompt/0:0'])
    const last = consumer.poll(30_000)
    await consumer.close()
    expect(await last).toEqual([])
    await expect(consumer.poll(1)).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
  })

  it('begins at the end by default, and fails without an offset when the policy is none', async () => {
    await fill('reset', 1, 5)
    const partition = { topic: 'reset', partition: 0 }
    const latest = aClient().consumer({ fetchMaxWaitMs: 50 })
    latest.assign([partition])
    expect(await latest.poll(300)).toEqual([])
    expect(latest.position(partition)).toBe(5)
    await latest.close()

    const strict = aClient().consumer({ autoOffsetReset: 'none' })
    strict.assign([partition])
    await expect(strict.poll(5_000)).rejects.toMatchObject({ code: 'CLIENT_NO_OFFSET' })
    strict.seek(partition, 99)
    await expect(strict.poll(5_000)).rejects.toMatchObject({ code: 'CLIENT_OFFSET_OUT_OF_RANGE' })
    strict.seek(partition, 3)
    expect(await read(strict, 2)).toEqual(['reset/0:3', 'reset/0:4'])
    await strict.close()
  })

  it('resets an offset that the log does not hold by its policy', async () => {
    await fill('out-of-range', 1, 3)
    const partition = { topic: 'out-of-range', partition: 0 }
    const consumer = aClient().consumer({ autoOffsetReset: 'earliest' })
    consumer.assign([partition])
    consumer.seek(partition, 1000)
    expect(await read(consumer, 3)).toHaveLength(3)
    await consumer.close()
  })

  it('reads nothing of paused partitions, and drops what was fetched before a seek', async () => {
    await fill('paused', 2, 10)
    const [first, second] = [0, 1].map((partition) => ({ topic: 'paused', partition }))
    const consumer = aClient().consumer({ autoOffsetReset: 'earliest', fetchMaxWaitMs: 50 })
    consumer.assign([first, second])
    consumer.pause([second])
    const values = await read(consumer, 11, 500)
    expect(values).toEqual(expected('paused', 1, 10))
    consumer.resume([second])
    expect(await read(consumer, 10)).toHaveLength(10)
    consumer.seek(second, 8)
    expect(await read(consumer, 2)).toEqual(['paused/1:8', 'paused/1:9'])
    await consumer.close()
  })

  it('reads all of a log that is larger than one fetch, whichever partitions it fetches together', async () => {
    await fill('large', 3, 2_000)
    const consumer = aClient().consumer({
      autoOffsetReset: 'earliest',
      maxPartitionFetchBytes: 5_000,
      fetchMaxBytes: 8_000,
    })
    consumer.assign([0, 1, 2].map((partition) => ({ topic: 'large', partition })))
    expect((await read(consumer, 6_000)).sort()).toEqual(expected('large', 3, 2_000))
    await consumer.close()
  })

  it('does not hold back other consumers of its client', async () => {
    await fill('quiet', 1, 0)
    await fill('busy', 1, 5)
    const client = aClient()
    const quiet = client.consumer({ autoOffsetReset: 'earliest', fetchMaxWaitMs: 5_000 })
    quiet.assign([{ topic: 'quiet', partition: 0 }])
    let hasWaited = false
    const waiting = quiet.poll(5_000).finally(() => (hasWaited = true))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const busy = client.consumer({ autoOffsetReset: 'earliest' })
    busy.assign([{ topic: 'busy', partition: 0 }])
    expect(await read(busy, 5)).toHaveLength(5)
    expect(hasWaited).toBe(false)
    await Promise.all([quiet.close(), busy.close()])
    expect(await waiting).toEqual([])
  })
})

/** A member that commits what it has delivered when its partitions are taken away. */
class Worker implements ConsumerListener {
  readonly values: string[] = []
  readonly events: string[] = []
  readonly consumer: Consumer
  #assigned: readonly TopicPartition[] = []
  #isStopping = false
  #running: Promise<void>

  constructor(groupId: string, topics: readonly string[], options: ConsumerOptions = {}) {
    this.consumer = aMember(groupId, options)
    this.consumer.subscribe({ topics }, this)
    this.#running = this.#run()
  }
  get assigned(): readonly TopicPartition[] {
    return this.#assigned
  }
  async onAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    this.events.push('assigned')
    this.#assigned = partitions
  }
  async onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    this.events.push('revoked')
    await this.consumer.commit(
      partitions.flatMap((partition) => {
        const offset = this.consumer.position(partition)
        return offset === null ? [] : [{ ...partition, offset }]
      }),
    )
    this.#assigned = []
  }
  async onLost(): Promise<void> {
    this.events.push('lost')
    this.#assigned = []
  }
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.consumer.close()
    await this.#running
  }
  async #run(): Promise<void> {
    while (!this.#isStopping) this.values.push(...valuesOf(await this.consumer.poll(100)))
  }
}

/** Makes the only member of a group leave, as if the coordinator had given up on it. */
async function kickOut(groupId: string): Promise<void> {
  const raw = await RawClient.open(broker.port)
  const { groups } = await raw.ask(ApiKey.DescribeGroups, 5, { groups: [groupId] })
  const [{ memberId }] = groups[0].members
  await raw.ask(ApiKey.LeaveGroup, 3, { groupId, members: [{ memberId }] })
  raw.close()
}

describe('a consumer group', () => {
  it('shares partitions anew as members come and go, and no record is lost or read twice', async () => {
    await fill('rebalanced', 6, 100)
    const workers = [new Worker('rebalanced', ['rebalanced'])]
    await until(() => workers[0].values.length > 0)
    workers.push(new Worker('rebalanced', ['rebalanced']))
    workers.push(new Worker('rebalanced', ['rebalanced']))
    await until(() => workers.every(({ assigned }) => assigned.length === 2))
    await append('rebalanced', 6, { from: 100, count: 100 })
    const total = () => workers.reduce((sum, { values }) => sum + values.length, 0)
    await until(() => total() >= 1_200)
    await workers[0].stop()
    await until(() => workers.slice(1).every(({ assigned }) => assigned.length === 3))
    await append('rebalanced', 6, { from: 200, count: 100 })
    await until(() => total() >= 1_800)
    await Promise.all(workers.slice(1).map((worker) => worker.stop()))
    const values = workers.flatMap((worker) => worker.values)
    expect(values.sort()).toEqual(expected('rebalanced', 6, 300))
    for (const { events } of workers) expect(events).not.toContain('lost')
  }, 30_000)

  it('goes on from the committed offset, also when another consumer commits from outside', async () => {
    await fill('committed', 1, 10)
    const partition = { topic: 'committed', partition: 0 }
    const outside = aMember('committed')
    await outside.commit([{ ...partition, offset: 4, metadata: 'by hand' }])
    expect(await aClient().admin().committedOffsets('committed')).toEqual([
      { ...partition, offset: 4, metadata: 'by hand' },
    ])
    await outside.close()
    const member = aMember('committed')
    member.subscribe({ topics: ['committed'] }, noListener)
    expect(await read(member, 6)).toEqual([4, 5, 6, 7, 8, 9].map((i) => `committed/0:${i}`))
    await member.close()
  })

  it('refuses a commit of a member that has no place', async () => {
    await fill('refused', 1, 1)
    const member = aMember('refused')
    member.subscribe({ topics: ['refused'] }, noListener)
    const commit = member.commit([{ topic: 'refused', partition: 0, offset: 1 }])
    await expect(commit).rejects.toMatchObject({ code: 'CLIENT_GROUP_MOVED_ON', retriable: true })
    await member.close()
  })

  it('keeps its place while everything is paused, as long as it polls', async () => {
    await fill('held', 1, 5)
    const events: string[] = []
    const member = aMember('held')
    member.subscribe(
      { topics: ['held'] },
      {
        onAssigned: async (partitions) => {
          events.push('assigned')
          member.pause(partitions)
        },
        onRevoked: async () => void events.push('revoked'),
        onLost: async () => void events.push('lost'),
      },
    )
    const untilMs = Date.now() + 2 * GROUP_TIMINGS.sessionTimeoutMs
    while (Date.now() < untilMs) expect(await member.poll(100)).toEqual([])
    expect(events).toEqual(['assigned'])
    member.resume([{ topic: 'held', partition: 0 }])
    expect(await read(member, 5)).toHaveLength(5)
    await member.close()
    expect(events).toEqual(['assigned', 'revoked'])
  })

  it('takes up a topic that appears later and matches its pattern', async () => {
    await fill('metrics-a', 1, 3)
    const member = aMember('pattern')
    member.subscribe({ pattern: /^metrics-/g }, noListener)
    expect(await read(member, 3)).toHaveLength(3)
    await member.commit([{ topic: 'metrics-a', partition: 0, offset: 3 }])
    await fill('metrics-b', 2, 2)
    expect((await read(member, 4)).sort()).toEqual(expected('metrics-b', 2, 2))
    await member.close()
  })

  it('takes up a topic that is created after it subscribed', async () => {
    const member = aMember('later')
    member.subscribe({ topics: ['later'] }, noListener)
    expect(await member.poll(300)).toEqual([])
    await fill('later', 1, 3)
    expect(await read(member, 3)).toHaveLength(3)
    await member.close()
  })

  it('takes its place back after a kill, with a topic that appeared meanwhile', async () => {
    const options = { groupInstanceId: 'one', sessionTimeoutMs: 30_000 }
    const doomed = aClient()
    const killed = doomed.consumer({ ...GROUP_TIMINGS, groupId: 'killed', ...options })
    killed.subscribe({ pattern: /^meanwhile-/ }, noListener)
    await killed.poll(500)
    await doomed.close() // the sockets end without a word, as those of a killed process
    await fill('meanwhile-a', 1, 3)
    const back = aMember('killed', options)
    back.subscribe({ pattern: /^meanwhile-/ }, noListener)
    expect((await read(back, 3)).sort()).toEqual(expected('meanwhile-a', 1, 3))
    await back.close()
  })

  it('goes on after the broker was restarted in the middle', async () => {
    await fill('restarted', 2, 50)
    const worker = new Worker('restarted', ['restarted'], { sessionTimeoutMs: 10_000 })
    await until(() => worker.values.length === 100)
    await broker.restart({ listeners: `PLAINTEXT://127.0.0.1:${broker.port}` })
    await append('restarted', 2, { from: 50, count: 50 })
    await until(() => worker.values.length >= 200)
    await worker.stop()
    expect(worker.values.sort()).toEqual(expected('restarted', 2, 100))
    const committed = await aClient().admin().committedOffsets('restarted')
    expect(committed.map(({ offset }) => offset)).toEqual([100, 100])
  }, 30_000)

  it('tells a member that the group has dropped it', async () => {
    await fill('dropped', 1, 1)
    const worker = new Worker('dropped', ['dropped'])
    await until(() => worker.assigned.length === 1)
    worker.events.length = 0
    await kickOut('dropped')
    await until(() => worker.events.includes('assigned'))
    expect(worker.events).toEqual(['lost', 'assigned'])
    await worker.stop()
  })
})

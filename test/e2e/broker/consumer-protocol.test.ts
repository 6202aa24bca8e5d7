/** Consumers of others that speak the consumer protocol, and the tools that look after their groups. */
import {
  Admin,
  Consumer,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { globSync } from 'node:fs'
import { ApiKey } from '@millrace/wire'
import { findKafka, type KafkaHome, runTool } from '../../peers/apache-kafka'
import { RawClient, startTestBroker, type TestBroker } from './harness'
import { until } from '../wait'

const TIMEOUT_MS = 120_000
const PARTITION_COUNT = 4
const MESSAGE_COUNT = 40

let broker: TestBroker

beforeAll(async () => {
  broker = await startTestBroker({
    'group.consumer.min.heartbeat.interval.ms': '200',
    'group.consumer.heartbeat.interval.ms': '200',
    'group.consumer.assignment.interval.ms': '0',
  })
})
afterEach(() => Reader.stopAll())
afterAll(() => broker.stop())

const client = () => ({ clientId: 'test', bootstrapBrokers: [broker.bootstrap] })

async function createTopic(topic: string): Promise<void> {
  const admin = new Admin(client())
  await admin.createTopics({ topics: [topic], partitions: PARTITION_COUNT, replicas: 1 })
  await admin.close()
}

/** As many to each partition; the values name the round. */
async function produce(topic: string, round: string): Promise<string[]> {
  const producer = new Producer({ ...client(), serializers: stringSerializers })
  const values = Array.from({ length: MESSAGE_COUNT }, (_, at) => `${round} ${at}`)
  await producer.send({
    messages: values.map((value, at) => ({ topic, value, partition: at % PARTITION_COUNT })),
  })
  await producer.close()
  return values.sort()
}

class Reader {
  static readonly #running = new Set<Reader>()
  readonly received: { partition: number; value: string }[] = []
  readonly #consumer: Consumer<string, string, string, string>

  constructor(groupId: string, groupInstanceId?: string) {
    this.#consumer = new Consumer({
      ...client(),
      groupId,
      groupInstanceId,
      groupProtocol: 'consumer',
      deserializers: stringDeserializers,
      maxWaitTime: 100,
    })
  }

  async start(topic: string): Promise<this> {
    const stream = await this.#consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.COMMITTED,
      fallbackMode: MessagesStreamFallbackModes.EARLIEST,
      autocommit: 50,
    })
    stream.on('data', ({ partition, value }) =>
      this.received.push({ partition, value: value ?? '' }),
    )
    Reader.#running.add(this)
    return this
  }

  stop(): Promise<void> {
    Reader.#running.delete(this)
    return this.#consumer.close(true)
  }

  /** What a test that failed left behind would fail another one when its broker is gone. */
  static async stopAll(): Promise<void> {
    await Promise.all(Array.from(Reader.#running, (reader) => reader.stop()))
  }
}

async function describeGroup(groupId: string) {
  const raw = await RawClient.open(broker.port)
  const { groups } = await raw.ask(ApiKey.ConsumerGroupDescribe, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
  raw.close()
  return groups[0]
}

async function untilStable(groupId: string, memberCount: number): Promise<void> {
  await until(async () => {
    const { groupState, members } = await describeGroup(groupId)
    return groupState === 'Stable' && members.length === memberCount
  })
}

/** Nothing of what was read will be read again by who takes a partition over. */
async function untilCommitted(groupId: string, topic: string, count: number): Promise<void> {
  const partitionIndexes = Array.from({ length: PARTITION_COUNT }, (_, at) => at)
  const request = {
    groups: [{ groupId, topics: [{ name: topic, partitionIndexes }] }],
    requireStable: false,
  }
  await until(async () => {
    const raw = await RawClient.open(broker.port)
    const { groups } = await raw.ask(ApiKey.OffsetFetch, 8, request)
    raw.close()
    const { partitions } = groups[0].topics[0]
    return partitions.reduce((sum, { committedOffset }) => sum + committedOffset, 0) === count
  })
}

const sorted = (...readers: Reader[]) =>
  readers.flatMap(({ received }) => received.map(({ value }) => value)).sort()

describe('consumers of @platformatic/kafka', () => {
  it(
    'share the partitions of a topic, hand them over, and go on where the others were',
    async () => {
      await createTopic('shared')
      const first = await produce('shared', 'first')
      const a = await new Reader('sharers').start('shared')
      await until(() => a.received.length === MESSAGE_COUNT)
      expect(sorted(a)).toEqual(first)
      await untilCommitted('sharers', 'shared', MESSAGE_COUNT)
      const b = await new Reader('sharers').start('shared')
      await untilStable('sharers', 2)
      a.received.length = 0
      const second = await produce('shared', 'second')
      await until(() => a.received.length + b.received.length >= MESSAGE_COUNT)
      expect(sorted(a, b)).toEqual(second)
      const [ofA, ofB] = [a, b].map((r) => new Set(r.received.map(({ partition }) => partition)))
      expect([ofA.size, ofB.size]).toEqual([2, 2])
      expect(new Set([...ofA, ...ofB]).size).toBe(PARTITION_COUNT)
      await untilCommitted('sharers', 'shared', 2 * MESSAGE_COUNT)
      await a.stop()
      await untilStable('sharers', 1)
      b.received.length = 0
      const third = await produce('shared', 'third')
      await until(() => b.received.length >= MESSAGE_COUNT)
      expect(sorted(b)).toEqual(third)
      await b.stop()
      expect(await describeGroup('sharers')).toMatchObject({ groupState: 'Empty', members: [] })
      expect(broker.complaints).toEqual([])
    },
    TIMEOUT_MS,
  )
})

const home = findKafka()
const title = 'tools of Apache Kafka'
const describeWithKafka =
  'missing' in home
    ? describe.skip.bind(null, `${title} (missing: ${home.missing})`)
    : describe.bind(null, title)

describeWithKafka(() => {
  jest.setTimeout(TIMEOUT_MS)

  const TOOLS = 'org.apache.kafka.tools.consumer'
  async function run(tool: string, settings: string): Promise<string> {
    const where = ['--bootstrap-server', broker.bootstrap]
    const args = [...where, ...settings.split(' ')]
    const { code, stdout, stderr } = await runTool(home as KafkaHome, `${TOOLS}.${tool}`, args)
    if (code !== 0) throw new Error(`${tool} ended with ${code}: ${stderr}${stdout}`)
    return stdout
  }
  const groups = (settings: string) => run('group.ConsumerGroupCommand', settings)

  it('read by a pattern, and look after the group', async () => {
    await createTopic('tool-a')
    await createTopic('tool-b')
    const values = [...(await produce('tool-a', 'a')), ...(await produce('tool-b', 'b'))]
    const protocol = '--command-property group.protocol=consumer'
    const from = '--include tool-[ab] --from-beginning --group tools'
    const limits = `--max-messages ${values.length} --timeout-ms 60000`
    const output = await run('ConsoleConsumer', `${from} ${protocol} ${limits}`)
    expect(output.trim().split('\n').sort()).toEqual(values.sort())
    expect(await groups('--list --type consumer --state empty')).toContain('tools')
    const described = await groups('--describe --group tools')
    expect(described).toMatch(/tools\s+tool-a\s+0\s+10\s+10\s+0/)
    const reset = '--reset-offsets --group tools --to-earliest --topic tool-a --execute'
    expect(await groups(reset)).toMatch(/tools\s+tool-a\s+0\s+0/)
    expect(await groups('--delete-offsets --group tools --topic tool-b')).toMatch(/successful/i)
    expect(await groups('--delete --group tools')).toMatch(/successful/i)
    expect(await describeGroup('tools')).toMatchObject({ groupState: '', members: [] })
  })

  it('show who is in a group, and what each has and is to have', async () => {
    await createTopic('watched')
    const reader = await new Reader('watchers', 'instance').start('watched')
    await untilStable('watchers', 1)
    const members = await groups('--describe --group watchers --members --verbose')
    expect(members).toMatch(/watchers.*instance.*\b4\b/)
    expect(await groups('--describe --group watchers --state')).toMatch(/uniform\s+Stable.*\b1\b/)
    await reader.stop()
  })

  it('read the records of the group', async () => {
    await createTopic('recorded')
    const reader = await new Reader('recorded', 'instance').start('recorded')
    await untilStable('recorded', 1)
    await reader.stop()
    const segments = globSync(`${broker.directory}/__consumer_offsets-*/*.log`)
    const args = ['--offsets-decoder', '--files', segments.join(',')]
    const tool = 'org.apache.kafka.tools.DumpLogSegments'
    const { stdout } = await runTool(home as KafkaHome, tool, args)
    const dump = stdout.split('\n')
    // Each key's version is the type of its record: all six that a consumer group has, but for patterns.
    const records = dump.filter((line) => line.includes('"groupId":"recorded"'))
    const types = new Set(records.map((line) => /key: \{"type":"(\d+)"/.exec(line)?.[1]))
    expect(types).toEqual(new Set(['3', '5', '6', '7', '8']))
    const values = records.filter((line) => line.includes('"data"'))
    expect(
      values.find((line) => line.includes('"subscribedTopicNames":["recorded"]')),
    ).toBeDefined()
    expect(values.find((line) => line.includes('"partitions":[0,1,2,3]'))).toBeDefined()
    expect(dump.filter((line) => /error|exception|unknown/i.test(line))).toEqual([])
  })
})

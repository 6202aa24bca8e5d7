import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findKafka, runTool } from '../../peers/apache-kafka'
import { startTestBroker, type TestBroker } from './harness'

/** Kafka's own tools against this broker: what an operator types, and reads. */
const home = findKafka()
const describeWithKafka = 'missing' in home ? describe.skip : describe
const TOOL_MAX_MS = 60_000

let broker: TestBroker

async function tool(mainClass: string, ...args: string[]): Promise<string> {
  if ('missing' in home) throw new Error(home.missing)
  const server = ['--bootstrap-server', broker.bootstrap]
  const { code, stdout, stderr } = await runTool(home, mainClass, [...server, ...args], {
    heapMb: 96,
  })
  if (code !== 0) throw new Error(`${mainClass} ended with ${code}: ${stdout}${stderr}`)
  return stdout
}

const configs = (...args: string[]) => tool('kafka.admin.ConfigCommand', ...args)
const topics = (...args: string[]) => tool('org.apache.kafka.tools.TopicCommand', ...args)

describeWithKafka("Kafka's admin tools", () => {
  beforeAll(async () => {
    broker = await startTestBroker()
  })
  afterAll(() => broker.stop())

  it(
    'kafka-topics creates, adds partitions and describes',
    async () => {
      await topics('--create', '--topic', 't', '--partitions', '1')
      await topics('--alter', '--topic', 't', '--partitions', '3')
      expect(await topics('--describe', '--topic', 't')).toMatch(/PartitionCount: 3/)
      await expect(topics('--alter', '--topic', 't', '--partitions', '2')).rejects.toThrow(
        /InvalidPartitionsException/,
      )
    },
    4 * TOOL_MAX_MS,
  )

  it(
    'kafka-configs sets, describes and deletes configs of topics, brokers and groups',
    async () => {
      const of = (type: string, name: string) => ['--entity-type', type, '--entity-name', name]
      const add = (config: string) => ['--alter', '--add-config', config]
      await configs(
        ...of('topics', 't'),
        ...add('retention.ms=1234,cleanup.policy=[compact,delete]'),
      )
      const described = await configs(...of('topics', 't'), '--describe')
      expect(described).toMatch(/retention\.ms=1234 .*DYNAMIC_TOPIC_CONFIG:retention\.ms=1234/)
      expect(described).toMatch(/cleanup\.policy=compact,delete /)
      await configs('--entity-type', 'brokers', '--entity-default', ...add('log.cleaner.threads=2'))
      expect(await configs(...of('brokers', '1'), '--describe', '--all')).toMatch(
        /log\.cleaner\.threads=2 .*DYNAMIC_DEFAULT_BROKER_CONFIG:log\.cleaner\.threads=2/,
      )
      await configs(...of('groups', 'g'), ...add('consumer.session.timeout.ms=50000'))
      expect(await configs(...of('groups', 'g'), '--describe')).toMatch(
        /consumer\.session\.timeout\.ms=50000/,
      )
      expect(await configs(...of('broker-loggers', '1'), '--describe')).toMatch(/root=WARN/)
    },
    8 * TOOL_MAX_MS,
  )

  it(
    'kafka-client-metrics makes a subscription and lists it',
    async () => {
      const run = (...args: string[]) =>
        tool('org.apache.kafka.tools.ClientMetricsCommand', ...args)
      await run('--alter', '--name', 'm', '--metrics', 'org.apache.', '--interval', '60000')
      expect(await run('--list')).toMatch(/^m$/m)
      expect(await run('--describe', '--name', 'm')).toMatch(/interval\.ms=60000/)
    },
    3 * TOOL_MAX_MS,
  )

  it(
    'kafka-features, kafka-metadata-quorum and kafka-log-dirs tell what there is',
    async () => {
      expect(await tool('org.apache.kafka.tools.FeatureCommand', 'describe')).toMatch(
        /Feature: transaction\.version\s+SupportedMinVersion: 0\s+SupportedMaxVersion: 2\s+FinalizedVersionLevel: 2/,
      )
      const quorum = 'org.apache.kafka.tools.MetadataQuorumCommand'
      expect(await tool(quorum, 'describe', '--status')).toMatch(/LeaderId:\s+1/)
      expect(await tool(quorum, 'describe', '--replication')).toMatch(/^1\s.*Leader/m)
      const dirs = await tool('org.apache.kafka.tools.LogDirsCommand', '--describe')
      expect(dirs).toContain(`"logDir":"${broker.directory}"`)
      expect(dirs).toContain('"partition":"t-2"')
    },
    5 * TOOL_MAX_MS,
  )

  it(
    'kafka-leader-election and kafka-reassign-partitions find nothing to do',
    async () => {
      const election = 'org.apache.kafka.tools.LeaderElectionCommand'
      const args = ['--election-type', 'preferred', '--topic', 't', '--partition', '0']
      expect(await tool(election, ...args)).toMatch(
        /Valid replica already elected for partitions t-0/,
      )
      const directory = mkdtempSync(join(tmpdir(), 'millrace-reassign-'))
      const file = join(directory, 'plan.json')
      const partitions = [{ topic: 't', partition: 0, replicas: [1], log_dirs: ['any'] }]
      writeFileSync(file, JSON.stringify({ version: 1, partitions }))
      const reassign = 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand'
      const plan = ['--reassignment-json-file', file]
      expect(await tool(reassign, ...plan, '--execute')).toMatch(/Successfully started/)
      expect(await tool(reassign, ...plan, '--verify')).toMatch(/partition t-0 is completed/)
      rmSync(directory, { recursive: true })
    },
    4 * TOOL_MAX_MS,
  )
})

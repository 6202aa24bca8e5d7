/** Rights and quotas as people set them: with kafkajs, and with the tools that Kafka comes with. */
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { findKafka, type KafkaHome, runTool } from '../../../peers/apache-kafka'
import { startTestBroker, type TestBroker } from '../harness'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
const TOOLS_MAX_MS = 120_000

let broker: TestBroker

beforeAll(async () => {
  broker = await startTestBroker({
    listeners: 'PLAINTEXT://127.0.0.1:0,SASL://127.0.0.1:0',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl.plain.sasl.jaas.config': `${PLAIN} user_alice="secret";`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  })
})
afterAll(() => broker.stop())

function client(user?: string): Kafka {
  const sasl = user
    ? ({ mechanism: 'plain', username: user, password: 'secret' } as const)
    : undefined
  const port = broker.ports[user ? 1 : 0]
  const retry = { retries: 0 }
  return new Kafka({ brokers: [`127.0.0.1:${port}`], sasl, retry, logLevel: logLevel.NOTHING })
}

describe('kafkajs', () => {
  const acl = {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: 'pay-',
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    principal: 'User:alice',
    host: '*',
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
  }

  it('SEC-3: gives, shows and takes rights, which are in force at once', async () => {
    const admin = client().admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'pay-in' }, { topic: 'stock' }] })
    const producer = client('alice').producer()
    await producer.connect()
    const send = (topic: string) => producer.send({ topic, messages: [{ value: 'x' }] })
    await expect(send('pay-in')).rejects.toThrow('Not authorized to access topics')

    await admin.createAcls({ acl: [acl] })
    await send('pay-in')
    await expect(send('stock')).rejects.toThrow('Not authorized to access topics')
    const filter = {
      ...acl,
      resourcePatternType: ResourcePatternTypes.MATCH,
      resourceName: 'pay-in',
    }
    const { resources } = await admin.describeAcls(filter)
    expect(resources).toMatchObject([{ resourceName: 'pay-', acls: [{ principal: 'User:alice' }] }])

    const deleted = await admin.deleteAcls({ filters: [filter] })
    expect(deleted.filterResponses[0].matchingAcls).toHaveLength(1)
    await expect(send('pay-in')).rejects.toThrow('Not authorized')
    await producer.disconnect()
    await admin.disconnect()
  })

  it('SEC-3: finds the rights again after a restart', async () => {
    let admin = client().admin()
    await admin.connect()
    await admin.createAcls({ acl: [acl] })
    await admin.disconnect()
    await broker.restart()
    admin = client().admin()
    await admin.connect()
    const deleted = await admin.deleteAcls({ filters: [acl] })
    expect(deleted.filterResponses[0].matchingAcls).toHaveLength(1)
    await admin.disconnect()
  })

  it('is refused what only the cluster may do', async () => {
    const admin = client('alice').admin()
    await admin.connect()
    await expect(admin.createAcls({ acl: [acl] })).rejects.toThrow('Cluster authorization failed')
    await expect(admin.createTopics({ topics: [{ topic: 'mine' }] })).rejects.toThrow(
      'Topic creation errors',
    )
    expect(await admin.listTopics()).toEqual([])
    await admin.disconnect()
  })
})

const home = findKafka()
const describeTools = 'missing' in home ? describe.skip : describe

describeTools(
  'missing' in home ? `Kafka's tools (skipped: no ${home.missing})` : "Kafka's tools",
  () => {
    async function run(mainClass: string, args: readonly string[]): Promise<string> {
      const where = ['--bootstrap-server', broker.bootstrap]
      const result = await runTool(home as KafkaHome, mainClass, [...where, ...args])
      if (result.code !== 0) throw new Error(`${mainClass}: ${result.stderr}${result.stdout}`)
      return result.stdout
    }
    const acls = (...args: string[]) => run('org.apache.kafka.tools.AclCommand', args)
    const configs = (...args: string[]) => run('kafka.admin.ConfigCommand', args)

    it(
      'give, list and take rights',
      async () => {
        const alice = ['--allow-principal', 'User:alice']
        await acls('--add', ...alice, '--producer', '--topic', 'tools', '--transactional-id', 'tx')
        await acls(
          '--add',
          '--deny-principal',
          'User:bob',
          '--deny-host',
          '10.0.0.1',
          '--operation',
          'Read',
          '--topic',
          'tools',
          '--resource-pattern-type',
          'prefixed',
        )
        const listed = await acls('--list', '--topic', 'tools', '--resource-pattern-type', 'match')
        expect(listed).toContain(
          '(principal=User:alice, host=*, operation=WRITE, permissionType=ALLOW)',
        )
        expect(listed).toContain(
          '(principal=User:bob, host=10.0.0.1, operation=READ, permissionType=DENY)',
        )
        await acls('--remove', '--force', '--topic', 'tools')
        const left = await acls('--list')
        expect(left).not.toContain('name=tools, patternType=LITERAL')
        expect(left).toContain('name=tools, patternType=PREFIXED')
        expect(left).toContain('resourceType=TRANSACTIONAL_ID, name=tx')
      },
      TOOLS_MAX_MS,
    )

    it(
      'set, show and remove quotas',
      async () => {
        const quota = ['--add-config', 'producer_byte_rate=1024,request_percentage=12.5']
        await configs('--alter', ...quota, '--entity-type', 'users', '--entity-name', 'alice')
        await configs(
          '--alter',
          '--add-config',
          'consumer_byte_rate=2048',
          '--entity-type',
          'users',
          '--entity-default',
          '--entity-type',
          'clients',
          '--entity-name',
          'app',
        )
        await configs(
          '--alter',
          '--add-config',
          'connection_creation_rate=5',
          '--entity-type',
          'ips',
          '--entity-default',
        )
        const users = await configs('--describe', '--entity-type', 'users')
        expect(users).toContain("Quota configs for user-principal 'alice' are ")
        expect(users).toContain('producer_byte_rate=1024.0')
        expect(users).toContain('request_percentage=12.5')
        const both = await configs(
          '--describe',
          '--entity-type',
          'users',
          '--entity-type',
          'clients',
        )
        expect(both).toContain(
          "the default user-principal, client-id 'app' are consumer_byte_rate=2048.0",
        )
        expect(await configs('--describe', '--entity-type', 'ips')).toContain(
          'connection_creation_rate=5.0',
        )
        await configs(
          '--alter',
          '--delete-config',
          'producer_byte_rate,request_percentage',
          '--entity-type',
          'users',
          '--entity-name',
          'alice',
        )
        expect(await configs('--describe', '--entity-type', 'users')).not.toContain('alice')
      },
      TOOLS_MAX_MS,
    )
  },
)

import { isDeepStrictEqual } from 'node:util'
import { AclOperation, PatternType, PermissionType, ResourceType } from '@millrace/security'
import { ApiKey, type apiMessages, type InferInput, type ServedApiKey } from '@millrace/wire'
import { type KafkaHome, startKafka } from '../../../peers/apache-kafka'
import { RawClient, startTestBroker } from '../harness'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
const AUTHORIZER = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
const IN_FORCE_MAX_MS = 10_000
const POLL_MS = 10

export type RequestOf<K extends ServedApiKey> = InferInput<(typeof apiMessages)[K]['request']>

/** A broker with rights: whoever comes without a login is its super user, and `alice` may do what ACLs say. */
export interface RightsBed {
  readonly admin: RawClient
  readonly alice: RawClient
  /** Puts exactly these rules in force, such as `READ topic orders` or `DENY ALL group crew-*` (a prefix). */
  grant(rules: readonly string[]): Promise<void>
  stop(): Promise<void>
}

const PROPERTIES = {
  'authorizer.class.name': AUTHORIZER,
  'super.users': 'User:ANONYMOUS',
  'sasl.enabled.mechanisms': 'PLAIN',
  'listener.name.sasl.plain.sasl.jaas.config': `${PLAIN} user_alice="secret";`,
  'auto.create.topics.enable': 'false',
  'delegation.token.secret.key': 'what tokens are made with',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
}

export async function startOurs(properties: Record<string, string> = {}): Promise<RightsBed> {
  const broker = await startTestBroker({
    ...PROPERTIES,
    listeners: 'PLAINTEXT://127.0.0.1:0,SASL://127.0.0.1:0',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
    ...properties,
  })
  const [plain, sasl] = broker.ports
  return openBed({ plain, sasl }, () => broker.stop())
}

export async function startTheirs(home: KafkaHome, saslPort: number): Promise<RightsBed> {
  const node = await startKafka(home, {
    properties: PROPERTIES,
    moreListeners: [{ name: 'SASL', port: saslPort, protocol: 'SASL_PLAINTEXT' }],
  })
  try {
    await untilOpen(saslPort) // Kafka opens its listeners one after the other
    return await openBed({ plain: node.port, sasl: saslPort }, () => node.stop())
  } catch (error) {
    await node.stop()
    throw error
  }
}

async function untilOpen(port: number): Promise<void> {
  for (const deadline = Date.now() + IN_FORCE_MAX_MS; ; ) {
    const client = await RawClient.open(port).catch(() => null)
    if (client) return client.close()
    if (Date.now() > deadline) throw new Error(`nobody listens on ${port}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function openBed(
  ports: { plain: number; sasl: number },
  stop: () => Promise<void>,
): Promise<RightsBed> {
  const admin = await RawClient.open(ports.plain)
  const alice = await logIn(ports.sasl, 'alice', 'secret')
  return {
    admin,
    alice,
    grant: (rules) => grant(admin, rules),
    async stop() {
      admin.close()
      alice.close()
      await stop()
    },
  }
}

export async function logIn(port: number, user: string, password: string): Promise<RawClient> {
  const client = await RawClient.open(port)
  await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
  const authBytes = Buffer.from(`\0${user}\0${password}`)
  const { errorCode } = await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes })
  if (errorCode !== 0) throw new Error(`${user} could not log in: ${errorCode}`)
  return client
}

export const EVERY_ACL = {
  resourceTypeFilter: ResourceType.ANY,
  resourceNameFilter: null,
  patternTypeFilter: PatternType.ANY,
  principalFilter: null,
  hostFilter: null,
  operation: AclOperation.ANY,
  permissionType: PermissionType.ANY,
}

async function grant(admin: RawClient, rules: readonly string[]): Promise<void> {
  await admin.ask(ApiKey.DeleteAcls, 3, { filters: [EVERY_ACL] })
  const creations = rules.map(parseRule)
  const { results } = await admin.ask(ApiKey.CreateAcls, 3, { creations })
  const failed = results.find(({ errorCode }) => errorCode !== 0)
  if (failed) throw new Error(`rule refused: ${failed.errorMessage}`)
  // Kafka confirms what its controller has; the broker follows a moment later.
  const deadline = Date.now() + IN_FORCE_MAX_MS
  for (;;) {
    const { resources } = await admin.ask(ApiKey.DescribeAcls, 3, EVERY_ACL)
    const inForce = resources.flatMap(({ acls, resourceType, resourceName, patternType }) =>
      acls.map((acl) => ({ resourceType, resourceName, resourcePatternType: patternType, ...acl })),
    )
    if (isDeepStrictEqual(sorted(inForce), sorted(creations))) return
    if (Date.now() > deadline) throw new Error('the rules did not come into force')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function sorted(rules: readonly object[]): string[] {
  return rules
    .map((rule) => JSON.stringify(Object.entries(rule).sort(([a], [b]) => a.localeCompare(b))))
    .sort()
}

function parseRule(rule: string): RequestOf<typeof ApiKey.CreateAcls>['creations'][number] {
  const isDenied = rule.startsWith('DENY ')
  const [operation, type, name] = rule.replace('DENY ', '').split(' ')
  const isPrefix = name.length > 1 && name.endsWith('*')
  return {
    resourceType: ResourceType[type.toUpperCase() as keyof typeof ResourceType],
    resourceName: isPrefix ? name.slice(0, -1) : name,
    resourcePatternType: isPrefix ? PatternType.PREFIXED : PatternType.LITERAL,
    principal: 'User:alice',
    host: '*',
    operation: AclOperation[operation as keyof typeof AclOperation],
    permissionType: isDenied ? PermissionType.DENY : PermissionType.ALLOW,
  }
}

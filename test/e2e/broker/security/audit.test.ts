import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker, type RunningBroker } from '@millrace/broker'
import { createLogger } from '@millrace/telemetry'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { eventually } from '../../wait'
import { RawClient } from '../harness'
import { PLAIN_MODULE, plainLogin } from './login'

const directory = mkdtempSync(join(tmpdir(), 'millrace-audit-'))
const lines: string[] = []
const logger = createLogger({ level: 'info', write: (line) => lines.push(line), now: Date.now })
const clients: RawClient[] = []
let broker: RunningBroker

async function logIn(name: string): Promise<RawClient> {
  const client = await RawClient.open(broker.addresses[0].port)
  clients.push(client)
  expect((await plainLogin(client, name, 's')).errorCode).toBe(ErrorCode.NONE)
  return client
}

function denials(): string[] {
  return lines.filter((line) => line.includes('access denied'))
}

describe('the audit log', () => {
  beforeAll(async () => {
    broker = await startBroker({
      logger,
      properties: {
        listeners: 'SASL_PLAINTEXT://127.0.0.1:0',
        'log.dirs': directory,
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${PLAIN_MODULE} user_admin="s" user_alice="s";`,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:admin',
        'offsets.topic.num.partitions': '1',
      },
    })
    const admin = await logIn('admin')
    const shape = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const topics = ['secret-1', 'secret-2'].map((name) => ({ name, ...shape }))
    await admin.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 })
    const readGroup = {
      resourceType: 3,
      resourceName: 'g',
      resourcePatternType: 3,
      principal: 'User:alice',
      host: '*',
      operation: 3,
      permissionType: 3,
    }
    await admin.ask(ApiKey.CreateAcls, 3, { creations: [readGroup] })
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    await broker.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it('has a line for a topic that was named, and none for those that a pattern could have meant', async () => {
    const alice = await logIn('alice')
    const member = { groupId: 'g', memberId: 'm', memberEpoch: 0, topicPartitions: [] }
    const join = { ...member, rebalanceTimeoutMs: 5000 }
    const byName = { ...join, subscribedTopicNames: ['secret-1'] }
    const refused = await alice.ask(ApiKey.ConsumerGroupHeartbeat, 1, byName)
    expect(refused.errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    expect(denials()).toEqual([expect.stringContaining('resource=TOPIC:secret-1')])
    const byPattern = { ...join, subscribedTopicRegex: 'secret-.*' }
    await alice.ask(ApiKey.FindCoordinator, 3, { key: 'g', keyType: 0 }) // makes the topic of the groups
    await eventually(async () => {
      const { errorCode } = await alice.ask(ApiKey.ConsumerGroupHeartbeat, 1, byPattern)
      expect(errorCode).toBe(ErrorCode.NONE)
    })
    expect(denials()).toHaveLength(1)
  })
})

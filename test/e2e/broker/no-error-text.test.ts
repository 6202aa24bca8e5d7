import { ApiKey } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from './harness'

/**
 * Clients may compare what is said beside a success: kafkajs wants `NONE` of FindCoordinator. Where Kafka 4.3.1 sends an
 * empty text and where null is looked up in admin-on-kafka.test.ts, on machines that have one.
 */
let broker: TestBroker
let client: RawClient

beforeAll(async () => {
  broker = await startTestBroker({
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  })
  client = await RawClient.open(broker.port)
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

it.each([1, 2, 3])('FindCoordinator, version %i, says NONE of a success', async (version) => {
  const answer = await client.ask(ApiKey.FindCoordinator, version, { keyType: 0, key: 'g' })
  expect(answer).toMatchObject({ errorCode: 0, errorMessage: 'NONE' })
})

it('ACLs that are created and described come with an empty text', async () => {
  const acl = { resourceType: 2, resourceName: 'a', resourcePatternType: 3, operation: 3 }
  const creations = [{ ...acl, principal: 'User:alice', host: '*', permissionType: 3 }]
  const created = await client.ask(ApiKey.CreateAcls, 3, { creations })
  expect(created.results).toEqual([{ errorCode: 0, errorMessage: '' }])
  const described = await client.ask(ApiKey.DescribeAcls, 3, {
    resourceTypeFilter: 2,
    resourceNameFilter: 'a',
    patternTypeFilter: 3,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  })
  expect(described).toMatchObject({ errorCode: 0, errorMessage: '' })
})

it('quotas and SCRAM users that are described come with an empty text', async () => {
  const quotas = await client.ask(ApiKey.DescribeClientQuotas, 1, { components: [], strict: false })
  expect(quotas).toMatchObject({ errorCode: 0, errorMessage: '' })
  const users = await client.ask(ApiKey.DescribeUserScramCredentials, 0, { users: null })
  expect(users).toMatchObject({ errorCode: 0, errorMessage: '' })
})

it('the quorum that is described comes with empty texts', async () => {
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const quorum = await client.ask(ApiKey.DescribeQuorum, 2, { topics })
  expect(quorum).toMatchObject({ errorCode: 0, errorMessage: '' })
  expect(quorum.topics[0].partitions[0]).toMatchObject({ errorCode: 0, errorMessage: '' })
})

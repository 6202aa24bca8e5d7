import { ApiKey } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from './harness'

/** So many that comparing each with each would take minutes, in which nobody else is served. */
const COUNT = 100_000

let broker: TestBroker
let client: RawClient

beforeAll(async () => {
  broker = await startTestBroker({
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
  })
  client = await RawClient.open(broker.port)
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

const names = (prefix: string) => Array.from({ length: COUNT }, (_, at) => `${prefix}${at}`)

describe('a list as long as a stranger likes', () => {
  it('of new topics is refused in time that grows with it, not with its square', async () => {
    const shape = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const topics = names('t').map((name) => ({ name, ...shape }))
    const answer = await client.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 5000 })
    expect(answer.topics).toHaveLength(COUNT)
  })

  it('of groups, too', async () => {
    const answer = await client.ask(ApiKey.DescribeGroups, 5, { groups: names('g') })
    expect(answer.groups).toHaveLength(COUNT)
  })
})

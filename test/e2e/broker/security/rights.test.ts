/**
 * What a client is told, request by request, with given rules in force. The answers in rights.json are those of Apache Kafka:
 * where it is present it is asked again, and `MILLRACE_RECORD=1` writes down what it says.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { findKafka } from '../../../peers/apache-kafka'
import { freePort } from '../../../peers/free-ports'
import { EVERY_ACL, type RightsBed, startOurs, startTheirs } from './rights-bed'
import { type RightsCase, rightsCases, type TopicIds } from './rights-cases'

const RECORDED = join(__dirname, 'rights.json')
const KAFKA_MAX_MS = 180_000

type Answers = Record<string, unknown>

/** What stands for somebody or something in an answer; the rest is not about rights. */
const NAMES = new Set([
  'name',
  'topic',
  'groupId',
  'transactionalId',
  'resourceName',
  'entityName',
  'principalName',
])

/** Error codes, names and bits of operations; lists in an order of our own. */
function essence(value: unknown, ids: TopicIds): unknown {
  if (Array.isArray(value)) {
    const all = value.map((item) => essence(item, ids))
    return all.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  }
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).flatMap(([key, part]): [string, unknown][] => {
    if (key === 'configs') return [] // which ones there are is not about rights
    if (/errorCode$/i.test(key) || NAMES.has(key) || key.endsWith('AuthorizedOperations'))
      return [[key, part]]
    if (key === 'topicId') {
      const name = Object.entries(ids).find(([, id]) => id === part)?.[0]
      return name ? [['topicId', `of ${name}`]] : []
    }
    return Array.isArray(part) && typeof part[0] === 'object' ? [[key, essence(part, ids)]] : []
  })
  return Object.fromEntries(kept)
}

async function prepare({ admin }: RightsBed): Promise<TopicIds> {
  const shape = { numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }
  const topics = ['orders', 'secret'].map((name) => ({ name, ...shape }))
  const created = await admin.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 })
  const [orders, secret] = ['orders', 'secret'].map(
    (wanted) => created.topics.find(({ name }) => name === wanted)!.topicId,
  )
  for (const [keyType, key] of [
    [0, 'crew'],
    [1, 'pay'],
  ] as const)
    await untilNoError(async () => {
      const request = { keyType, coordinatorKeys: [key] }
      const { coordinators } = await admin.ask(ApiKey.FindCoordinator, 4, request)
      return coordinators[0].errorCode
    })
  await untilNoError(async () => {
    const request = { transactionalId: null, transactionTimeoutMs: 1000 }
    return (await admin.ask(ApiKey.InitProducerId, 4, request)).errorCode
  })
  // A position, so that there is something to see of the group.
  await untilNoError(async () => {
    const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: '' }]
    const request = { groupId: 'crew', memberId: '', topics: [{ name: 'orders', partitions }] }
    const answer = await admin.ask(ApiKey.OffsetCommit, 8, request)
    return answer.topics[0].partitions[0].errorCode
  })
  return { orders, secret }
}

async function untilNoError(ask: () => Promise<number>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await ask()) === ErrorCode.NONE) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the coordinators did not come up')
}

function titleOf({ title }: RightsCase, rules: readonly string[]): string {
  return `${title}: ${rules.join(', ') || 'no rules'}`
}

async function askAllOf(bed: RightsBed): Promise<Answers> {
  try {
    return await askAll(bed)
  } finally {
    await bed.stop()
  }
}

async function askAll(bed: RightsBed): Promise<Answers> {
  const ids = await prepare(bed)
  const answers: Answers = {}
  for (const one of rightsCases(ids))
    for (const rules of one.rules) {
      await bed.grant(rules)
      const answer = await bed.alice.ask(one.key, one.version, one.request as never)
      answers[titleOf(one, rules)] = essence(answer, ids)
    }
  return answers
}

const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as Answers
const titles = rightsCases({ orders: '', secret: '' }).flatMap((one) =>
  one.rules.map((rules) => titleOf(one, rules)),
)

describe('what a client is told', () => {
  let answers: Answers

  beforeAll(async () => {
    answers = await askAllOf(await startOurs())
  }, 60_000)

  it.each(titles)('SEC-2: is what Kafka tells it, about %s', (title) => {
    expect(answers[title]).toEqual(recorded[title])
  })
})

/** Everything that somebody without rights could have changed, as the super user sees it. */
async function stateOf({ admin }: RightsBed): Promise<unknown[]> {
  const topics = [{ name: 'orders', partitionIndexes: [0, 1] }]
  const partitions = [{ partitionIndex: 0, timestamp: -1 }]
  const resources = [2, 4, 32].map((resourceType) => ({
    resourceType,
    resourceName: { 2: 'orders', 4: '', 32: 'crew' }[resourceType]!,
    configurationKeys: null,
  }))
  return [
    await admin.ask(ApiKey.Metadata, 12, { topics: null }),
    await admin.ask(ApiKey.ListOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: ['orders', 'secret'].map((name) => ({ name, partitions })),
    }),
    await admin.ask(ApiKey.OffsetFetch, 7, { groupId: 'crew', topics, requireStable: false }),
    await admin.ask(ApiKey.ListGroups, 4, { statesFilter: [] }),
    await admin.ask(ApiKey.ListTransactions, 1, { stateFilters: [], producerIdFilters: [] }),
    await admin.ask(ApiKey.DescribeConfigs, 4, {
      resources,
      includeSynonyms: false,
      includeDocumentation: false,
    }),
    await admin.ask(ApiKey.DescribeClientQuotas, 1, { components: [], strict: false }),
    await admin.ask(ApiKey.DescribeUserScramCredentials, 0, { users: null }),
    await admin.ask(ApiKey.DescribeAcls, 3, EVERY_ACL),
  ]
}

describe('a topic that is created when it is asked for', () => {
  it('is created only for those who may create it', async () => {
    const bed = await startOurs({ 'auto.create.topics.enable': 'true' })
    const ask = async (rules: readonly string[]) => {
      await bed.grant(rules)
      const { topics } = await bed.alice.ask(ApiKey.Metadata, 12, { topics: [{ name: 'fresh' }] })
      return topics[0].errorCode
    }
    try {
      expect(await ask([])).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      expect(await ask(['CREATE topic fresh'])).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      expect(await ask(['DESCRIBE topic *'])).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      expect((await bed.admin.ask(ApiKey.Metadata, 12, { topics: null })).topics).toEqual([])
      const mayCreate = ['DESCRIBE topic fresh', 'CREATE topic fr*']
      expect(await ask(mayCreate)).toBe(ErrorCode.NONE)
    } finally {
      await bed.stop()
    }
  })
})

describe('somebody without rights', () => {
  it('SEC-2: changes nothing, whatever he asks for', async () => {
    const bed = await startOurs()
    try {
      const cases = rightsCases(await prepare(bed))
      const before = await stateOf(bed)
      for (const { key, version, request } of cases)
        await bed.alice.ask(key, version, { ...request, validateOnly: false } as never)
      expect(await stateOf(bed)).toEqual(before)
    } finally {
      await bed.stop()
    }
  }, 60_000)
})

const kafka = findKafka()
const describeKafka = 'missing' in kafka ? describe.skip : describe

describeKafka('the recorded answers', () => {
  it(
    'are those of Kafka',
    async () => {
      if ('missing' in kafka) return
      const answers = await askAllOf(await startTheirs(kafka, await freePort()))
      if (process.env.MILLRACE_RECORD === '1')
        writeFileSync(RECORDED, `${JSON.stringify(answers, null, 2)}\n`)
      expect(answers).toEqual(JSON.parse(readFileSync(RECORDED, 'utf8')))
    },
    KAFKA_MAX_MS,
  )
})

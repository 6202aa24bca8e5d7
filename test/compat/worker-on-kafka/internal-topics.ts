import { deepStrictEqual, match, ok } from 'node:assert'
import type { Bed } from './bed.ts'
import { describeTopic, readTopic, type TopicRecord } from './console.ts'

const TOPICS = { 'connect-configs': 1, 'connect-offsets': 25, 'connect-statuss': 5 } as const
const STATUS_FIELDS = ['state', 'trace', 'worker_id', 'generation', 'version']

export async function checkTopics({ home, kafka }: Bed): Promise<void> {
  for (const [topic, partitions] of Object.entries(TOPICS)) {
    const found = await describeTopic(home, kafka.bootstrap, topic)
    deepStrictEqual(found, { partitions, isCompacted: true }, topic)
  }
}

/** Keys and values as Kafka Connect writes and reads them. */
export async function checkFormats({ home, kafka, directory }: Bed): Promise<void> {
  const read = (topic: string) => readTopic(home, kafka.bootstrap, topic)
  const configs = await read('connect-configs')
  deepStrictEqual(Object.keys(parse(lastOf(configs, 'connector-shop'))), ['properties'])
  const task = parse(lastOf(configs, 'task-shop-0')) as { properties: Record<string, string> }
  match(task.properties['task.class'], /PostgresConnectorTask$/)
  deepStrictEqual(lastOf(configs, 'commit-shop'), '{"tasks":1}')
  const sessionKey = parse(lastOf(configs, 'session-key'))
  deepStrictEqual(Object.keys(sessionKey), ['key', 'algorithm', 'creation-timestamp'])

  const offsets = await read('connect-offsets')
  const fileKey = JSON.stringify(['lines', { filename: `${directory}/in.txt` }])
  match(lastOf(offsets, fileKey), /^\{"position":\d+\}$/)
  const shopOffset = parse(lastOf(offsets, '["shop",{"server":"shop"}]'))
  ok(Number(shopOffset.lsn) > 0)

  const statuses = await read('connect-statuss')
  for (const key of ['status-connector-shop', 'status-task-shop-0'])
    deepStrictEqual(Object.keys(parse(lastOf(statuses, key))), STATUS_FIELDS, key)
  const { topic } = parse(lastOf(statuses, 'status-topic-lines:connector-copy'))
  deepStrictEqual(Object.keys(topic as object), ['name', 'connector', 'task', 'discoverTimestamp'])
}

function lastOf(records: readonly TopicRecord[], key: string): string {
  const found = records.findLast((record) => record.key === key)
  if (!found?.value) throw new Error(`no record ${key}`)
  return found.value
}

function parse(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>
}

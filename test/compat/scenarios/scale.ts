/** Many topics at once. */
import assert from 'node:assert/strict'
import { createTopics } from '../direct.ts'
import { assertSame, numbered, plain, type Scenario, type World } from './world.ts'

const TOPICS = 1000

export const scale: readonly Scenario[] = [{ name: '1,000 topics', run: manyTopics }]

/** The client lists all of them, and produces to and reads from the last one made. */
async function manyTopics({ client, bootstrap, prefix }: World): Promise<void> {
  const names = Array.from({ length: TOPICS }, (_, index) => `${prefix}-many-${index}`)
  await createTopics(bootstrap, names, 1)
  const listed = new Set(await client.listTopics())
  assert.deepEqual(
    names.filter((name) => !listed.has(name)),
    [],
    'topics that are not listed',
  )
  const topic = names.at(-1)!
  const sent = numbered(20)
  await client.produce(topic, sent, plain)
  assertSame(await client.fetch({ topic, partition: 0, from: 'beginning', count: 20 }), sent)
}

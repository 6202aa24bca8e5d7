/** Transactions: what is committed is seen, what is aborted is not, and positions go with it. */
import assert from 'node:assert/strict'
import { committedOffset } from '../direct.ts'
import { aTopic, assertSame, numbered, plain, type Scenario, type World } from './world.ts'

export const transactions: readonly Scenario[] = [
  { name: 'transactions with abort, read_committed', run: readCommitted },
  { name: 'transactions with abort, read_uncommitted', run: readUncommitted },
  { name: 'position of a group in a transaction', run: commitPosition },
  { name: 'a second producer fences the first', run: fence },
]

async function readCommitted(world: World): Promise<void> {
  const { client } = world
  const { topic, committed } = await threeTransactions(world, 'committed')
  // Behind the last marker, so that a client that waits for a count is not left waiting for what was aborted.
  const end = numbered(1, 'end')
  await client.produce(topic, end, plain)
  const count = committed.length + 1
  const isolation = 'read_committed'
  const received = await client.fetch({ topic, partition: 0, from: 'beginning', count, isolation })
  assertSame(received, [...committed, ...end])
}

async function readUncommitted(world: World): Promise<void> {
  const { client } = world
  const { topic, all } = await threeTransactions(world, 'uncommitted')
  const received = await client.fetch({ topic, partition: 0, from: 'beginning', count: all.length })
  assertSame(received, all)
}

async function threeTransactions(world: World, name: string) {
  const { client, prefix } = world
  const topic = await aTopic(world, `transactions-${name}`, 1)
  const [first, dropped, last] = ['first', 'dropped', 'last'].map((part) => numbered(20, part))
  await client.transact(`${prefix}-${name}`, [
    { topic, messages: first, outcome: 'commit' },
    { topic, messages: dropped, outcome: 'abort' },
    { topic, messages: last, outcome: 'commit' },
  ])
  return { topic, committed: [...first, ...last], all: [...first, ...dropped, ...last] }
}

async function commitPosition(world: World): Promise<void> {
  const { client, bootstrap, prefix } = world
  const source = await aTopic(world, 'position-source', 1)
  const topic = await aTopic(world, 'position-target', 1)
  const group = `${prefix}-position`
  const id = `${prefix}-position`
  await client.produce(source, numbered(10), plain)
  const position = { group, topic: source, partition: 0 }
  const messages = numbered(3)
  await client.transact(id, [
    { topic, messages, outcome: 'commit', position: { ...position, offset: 4 } },
    { topic, messages, outcome: 'abort', position: { ...position, offset: 9 } },
  ])
  assert.equal(await committedOffset(bootstrap, group, source, 0), 4)
}

async function fence(world: World): Promise<void> {
  const { client, prefix } = world
  const topic = await aTopic(world, 'fencing', 1)
  const [first, second] = ['first', 'second'].map((part) => numbered(5, part))
  const id = `${prefix}-fencing`
  await client.transact(id, [{ topic, messages: first, outcome: 'fenced' }])
  await client.transact(id, [{ topic, messages: second, outcome: 'commit' }])
  const from = 'beginning'
  const fetch = { topic, partition: 0, from, count: 5, isolation: 'read_committed' } as const
  assertSame(await client.fetch(fetch), second)
}

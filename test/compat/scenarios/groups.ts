/** Consumer groups. */
import assert from 'node:assert/strict'
import type { Member } from '../client.ts'
import { sleep, waitFor } from '../wait.ts'
import { groupOfThree } from './group-of-three.ts'
import {
  aTopic,
  assertSame,
  numbered,
  plain,
  type Scenario,
  waitForMessages,
  type World,
} from './world.ts'

/** Long enough for a message that should not come to come. */
const SILENCE_MS = 500

export const groups: readonly Scenario[] = [
  { name: 'commit and resume', run: commitAndResume },
  { name: 'group of 3 with rebalance', run: (world) => groupOfThree(world, 'classic') },
  { name: 'group of 3, consumer protocol', run: (world) => groupOfThree(world, 'consumer') },
  { name: 'static member restarts', run: restartStaticMember },
]

async function commitAndResume(world: World): Promise<void> {
  const { client, prefix } = world
  const topic = await aTopic(world, 'resumed', 1)
  const group = `${prefix}-resumed`
  await client.produce(topic, numbered(10), plain)
  const first = await client.join({ group, topic })
  try {
    await waitForMessages(first, 10)
  } finally {
    await first.leave()
  }
  const more = numbered(5, 'more')
  await client.produce(topic, more, plain)
  const second = await client.join({ group, topic })
  try {
    await waitForMessages(second, 5)
    await sleep(SILENCE_MS)
  } finally {
    await second.leave()
  }
  assertSame(second.received, more)
  assert.equal(second.received[0].offset, 10)
}

/** A static member that comes back within its session gets its partitions without the others noticing. */
async function restartStaticMember(world: World): Promise<void> {
  const { client, prefix } = world
  const topic = await aTopic(world, 'static', 2)
  const group = `${prefix}-static`
  const join = (instanceId: string) => client.join({ group, topic, instanceId })
  const stays = await join('stays')
  let comesBack = await join('comes-back')
  try {
    const shares = async () => {
      const round = `round ${Math.random()}`
      const sent = Array.from({ length: 60 }, (_, index) => ({
        key: `${index}`,
        value: `${round} ${index}`,
      }))
      await client.produce(topic, sent, plain)
      const of = (member: Member) => member.received.filter(({ value }) => value.startsWith(round))
      await waitFor(`all messages of ${round}`, () => {
        for (const { failure } of [stays, comesBack]) if (failure) throw failure
        return of(stays).length + of(comesBack).length >= sent.length
      })
      const partitionsOf = (member: Member) => [
        ...new Set(of(member).map(({ partition }) => partition)),
      ]
      return { stays: partitionsOf(stays), comesBack: partitionsOf(comesBack) }
    }
    await waitFor('each member to have a partition', async () => {
      const { stays: first, comesBack: second } = await shares()
      return first.length === 1 && second.length === 1
    })
    const before = await shares()
    await comesBack.leave()
    comesBack = await join('comes-back')
    const after = await shares()
    assert.deepEqual(after, before)
  } finally {
    await Promise.all([stays.leave(), comesBack.leave()])
  }
}

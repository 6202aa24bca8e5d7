import assert from 'node:assert/strict'
import type { Incoming, JoinOptions, Member } from '../client.ts'
import { createTopic } from '../direct.ts'
import type { World } from './world.ts'
import { sleep, waitFor } from '../wait.ts'

const PARTITIONS = 6
/** Keys enough for a message in every partition, whatever the client's partitioner. */
const ROUND_MESSAGES = 120
const ROUND_PAUSE_MS = 200
/** Members learn of a rebalance with their next heartbeat, by default after 3 s. */
const REST_TIMEOUT_MS = 30_000

/**
 * Three members share six partitions; then one leaves and the others take over. Judged by what arrives, in rounds of messages that
 * hit every partition: while the group stands still each message comes once, and over everything none is lost.
 */
export async function groupOfThree(
  { client, bootstrap, prefix }: World,
  protocol: JoinOptions['protocol'],
): Promise<void> {
  const topic = `${prefix}-shared-${protocol}`
  const group = `${prefix}-three-${protocol}`
  await createTopic(bootstrap, topic, PARTITIONS)
  const members = await Promise.all([1, 2, 3].map(() => client.join({ group, topic, protocol })))
  let roundCount = 0
  const play = async (listening: readonly Member[]): Promise<Incoming[][]> => {
    roundCount += 1
    const name = `round ${roundCount}`
    const round = Array.from({ length: ROUND_MESSAGES }, (_, index) => ({
      key: `key ${index}`,
      value: `${name}, message ${index}`,
    }))
    await client.produce(topic, round, { codec: 'none', isIdempotent: false })
    const arrived = () => listening.map(({ received }) => ofRound(received, name))
    await waitFor(`all messages of ${name}`, () => {
      for (const { failure } of listening) if (failure) throw failure
      return new Set(arrived().flatMap(valuesOf)).size === ROUND_MESSAGES
    })
    return arrived()
  }
  const left: Member[] = []
  try {
    await playUntilEachHas(members, play)
    assertSharedOnce(await play(members), PARTITIONS)
    left.push(members[0])
    await members[0].leave()
    const others = members.slice(1)
    await playUntilEachHas(others, play)
    assertSharedOnce(await play(others), PARTITIONS)
  } finally {
    await Promise.all(members.filter((member) => !left.includes(member)).map((m) => m.leave()))
  }
}

/** Rounds until one in which every member got something: the group has come to rest. */
async function playUntilEachHas(
  members: readonly Member[],
  play: (members: readonly Member[]) => Promise<Incoming[][]>,
): Promise<void> {
  const deadlineMs = Date.now() + REST_TIMEOUT_MS
  while ((await play(members)).some((messages) => messages.length === 0)) {
    assert.ok(Date.now() < deadlineMs, 'the group does not come to rest')
    await sleep(ROUND_PAUSE_MS)
  }
}

function assertSharedOnce(shares: readonly Incoming[][], partitionCount: number): void {
  const partitions = shares.map((messages) => [...new Set(messages.map((m) => m.partition))])
  assert.equal(partitions.flat().length, partitionCount, 'a partition has two owners or none')
  const values = shares.flatMap(valuesOf)
  assert.equal(values.length, new Set(values).size, 'messages came more than once')
  const largest = Math.max(...partitions.map((owned) => owned.length))
  assert.equal(largest, Math.ceil(partitionCount / shares.length), 'most partitions of one member')
}

function ofRound(received: readonly Incoming[], name: string): Incoming[] {
  return received.filter(({ value }) => value.startsWith(`${name},`))
}

function valuesOf(messages: readonly Incoming[]): string[] {
  return messages.map(({ value }) => value)
}

/** What all scenarios work with. */
import assert from 'node:assert/strict'
import type { Client, Incoming, Login, Member, Missing, Outgoing } from '../client.ts'
import { createTopic } from '../direct.ts'
import type { SecuredServer } from '../server.ts'
import { waitFor } from '../wait.ts'

export interface World {
  readonly client: Client
  /** The same kind of client on another listener. */
  readonly open: (bootstrap: string, login: Login) => Promise<Client | Missing>
  readonly server: SecuredServer
  readonly bootstrap: string
  /** `log.dirs` of the broker. */
  readonly dataDirectory: string
  /** Part of the names of topics and groups, so that scenarios do not meet. */
  readonly prefix: string
}

export interface Scenario {
  readonly name: string
  readonly run: (world: World) => Promise<void>
}

export const plain = { codec: 'none', isIdempotent: false } as const

export async function aTopic(world: World, name: string, partitions: number): Promise<string> {
  const topic = `${world.prefix}-${name}`
  await createTopic(world.bootstrap, topic, partitions)
  return topic
}

export function numbered(count: number, name = 'message'): Outgoing[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `${name} ${index}`,
    value: `${name} ${index} of ${count}`,
  }))
}

export async function waitForMessages(member: Member, count: number): Promise<void> {
  await waitFor(`${count} messages in a group`, () => {
    if (member.failure) throw member.failure
    return member.received.length >= count
  })
}

/** Compares keys and values; a list of hundreds in a message helps nobody, so the first difference is named. */
export function assertSame(received: readonly Incoming[], sent: readonly Outgoing[]): void {
  assert.equal(received.length, sent.length, 'number of messages')
  for (const [index, { key, value }] of sent.entries()) {
    const { [index]: message } = received
    assert.deepEqual({ key: message.key, value: message.value }, { key, value }, `message ${index}`)
  }
}

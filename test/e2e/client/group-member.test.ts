import { nodeNet, systemClock, systemRandom } from '@millrace/base'
import {
  createClient,
  type Client,
  type GroupMember,
  type GroupMemberInfo,
  type GroupMemberOptions,
  type GroupPlace,
} from '@millrace/client'
import { silentLogger } from '@millrace/telemetry'
import { ApiKey } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from '../broker/harness'
import { until } from '../wait'

let broker: TestBroker
let client: Client

beforeAll(async () => {
  broker = await startTestBroker({ 'group.min.session.timeout.ms': '500' })
})
beforeEach(() => {
  client = aClient()
})
afterEach(() => client.close())
afterAll(() => broker.stop())

function aClient(): Client {
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger, net: nodeNet }
  return createClient(deps, { bootstrapServers: [broker.bootstrap], clientId: 'worker' })
}

/** A member that tells the group its name; the leader answers each with the names of all. */
class Participant {
  readonly events: string[] = []
  readonly member: GroupMember
  place: GroupPlace | null = null

  constructor(
    groupId: string,
    name: string,
    options: Partial<GroupMemberOptions> = {},
    from: Client = client,
  ) {
    this.member = from.group({
      groupId,
      protocolType: 'connect',
      sessionTimeoutMs: 3_000,
      rebalanceTimeoutMs: 3_000,
      heartbeatIntervalMs: 50,
      protocols: () => [{ name: 'compatible', metadata: Buffer.from(name) }],
      assign: namesToAll,
      onAssigned: async (assignment, place) => {
        this.place = place
        this.events.push(`assigned ${String(assignment)}`)
      },
      onRevoked: async ({ isLost, protocolName }) => {
        this.events.push(`${isLost ? 'lost' : 'revoked'} ${protocolName}`)
      },
      ...options,
    })
  }
}

function namesToAll(members: readonly GroupMemberInfo[]): Map<string, Buffer> {
  const names = members.map(({ metadata }) => String(metadata)).sort()
  return new Map(members.map(({ memberId }) => [memberId, Buffer.from(names.join('+'))]))
}

describe('a member of a group of any protocol type', () => {
  it('has its first assignment when join resolves, and leads a group of one', async () => {
    const one = new Participant('alone', 'one')
    await one.member.join()
    expect(one.events).toEqual(['assigned one'])
    expect(one.place).toMatchObject({
      isLeader: true,
      generationId: 1,
      protocolName: 'compatible',
      memberId: one.member.memberId,
    })
    await one.member.leave()
  })

  it('gives its work up before each round, and gets new work after it', async () => {
    const one = new Participant('pair', 'one')
    const two = new Participant('pair', 'two')
    await one.member.join()
    await two.member.join()
    await until(() => one.events.length === 3)
    expect(one.events).toEqual(['assigned one', 'revoked compatible', 'assigned one+two'])
    expect(two.events).toEqual(['assigned one+two'])
    expect(one.place!.generationId).toBe(two.place!.generationId)
    await two.member.leave()
    await until(() => one.events.length === 5)
    expect(one.events.slice(3)).toEqual(['revoked compatible', 'assigned one'])
    expect(two.events).toHaveLength(1)
    await one.member.leave()
  })

  it('joins again when it asks to, with what it tells by then', async () => {
    let name = 'before'
    const one = new Participant('renamed', '', {
      protocols: () => [{ name: 'compatible', metadata: Buffer.from(name) }],
    })
    await one.member.join()
    name = 'after'
    one.member.rejoin()
    await until(() => one.events.length === 3)
    expect(one.events).toEqual(['assigned before', 'revoked compatible', 'assigned after'])
    await one.member.leave()
  })

  it('joins again when onAssigned asks to', async () => {
    const one: Participant = new Participant('at-once', 'one', {
      onAssigned: async () => {
        one.events.push('assigned')
        if (one.events.length === 1) one.member.rejoin()
      },
    })
    await one.member.join()
    await until(() => one.events.length === 3)
    expect(one.events).toEqual(['assigned', 'revoked compatible', 'assigned'])
    await one.member.leave()
  })

  it('is told that its place is lost, and comes back under another id', async () => {
    const one = new Participant('lost', 'one')
    await one.member.join()
    const memberId = one.member.memberId
    const raw = await RawClient.open(broker.port)
    await raw.ask(ApiKey.LeaveGroup, 3, { groupId: 'lost', members: [{ memberId }] })
    raw.close()
    await until(() => one.events.length === 3)
    expect(one.events).toEqual(['assigned one', 'lost compatible', 'assigned one'])
    expect(one.member.memberId).not.toBe(memberId)
    await one.member.leave()
  })

  it('fails to join a group of another kind, and may try again', async () => {
    const one = new Participant('kind', 'one')
    await one.member.join()
    const stranger = new Participant('kind', 'stranger', { protocolType: 'other' })
    await expect(stranger.member.join()).rejects.toMatchObject({
      code: 'INCONSISTENT_GROUP_PROTOCOL',
    })
    await one.member.leave()
    await stranger.member.join()
    expect(stranger.events).toEqual(['assigned stranger'])
    await stranger.member.leave()
  })

  it('gives a static member its place back when it was killed and starts again', async () => {
    const doomed = aClient()
    const first = new Participant('static', 'one', { groupInstanceId: 'instance-1' }, doomed)
    const other = new Participant('static', 'two')
    await first.member.join()
    await other.member.join()
    await until(() => first.events.length === 3)
    const { generationId } = other.place!
    await doomed.close() // the sockets end without a word, as those of a killed process
    const second = new Participant('static', 'one', { groupInstanceId: 'instance-1' })
    await second.member.join()
    expect(second.place!.generationId).toBe(generationId)
    expect(other.events).toEqual(['assigned one+two'])
    await Promise.all([second.member.leave(), other.member.leave()])
  })

  it('takes a static member out of the group at once when it leaves', async () => {
    const first = new Participant('goodbye', 'one', { groupInstanceId: 'instance-1' })
    const other = new Participant('goodbye', 'two')
    await first.member.join()
    await other.member.join()
    await first.member.leave()
    await until(() => other.events.at(-1) === 'assigned two')
    await other.member.leave()
  })

  it('leaves while its join waits for others', async () => {
    const giveUp = Promise.withResolvers<void>()
    const one = new Participant('waiting', 'one', { onRevoked: () => giveUp.promise })
    await one.member.join()
    const two = new Participant('waiting', 'two')
    const joining = two.member.join()
    await new Promise((resolve) => setTimeout(resolve, 200))
    await two.member.leave()
    giveUp.resolve()
    await expect(joining).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
    await one.member.leave()
  })

  it('outlives a restart of the broker', async () => {
    const one = new Participant('survivor', 'one', { sessionTimeoutMs: 10_000 })
    await one.member.join()
    await broker.restart({ listeners: `PLAINTEXT://127.0.0.1:${broker.port}` })
    one.member.rejoin()
    await until(() => one.events.at(-1) === 'assigned one' && one.events.length > 1)
    expect(one.events).not.toContain('lost compatible')
    await one.member.leave()
  })

  it('gives its work up when the coordinator is silent for a session timeout', async () => {
    const one = new Participant('silent', 'one', { sessionTimeoutMs: 1_000 })
    await one.member.join()
    const { port } = broker
    await broker.stop()
    await until(() => one.events.length > 1)
    expect(one.events).toEqual(['assigned one', 'lost compatible'])
    await one.member.leave()
    broker = await startTestBroker({ listeners: `PLAINTEXT://127.0.0.1:${port}` })
  })
})

import { ApiKey } from '@millrace/wire'
import { joinOf, type JoinRequest, subscription } from './group-states'
import type { Scenario, Script } from './script'
import { until } from '../../wait'

/** Joins that are answered when the group has settled. */
const ask = (on: Script, more: Partial<JoinRequest>, version = 5) =>
  on.ask(ApiKey.JoinGroup, version, joinOf(on.name, more))

/** A member that has its id, as newer clients come. */
async function idOf(on: Script): Promise<string> {
  const { memberId } = await on.quietly(ApiKey.JoinGroup, 4, joinOf(on.name))
  return memberId
}

const protocols = (...names: string[]) =>
  names.map((name) => ({ name, metadata: subscription('a') }))

const heartbeat = (on: Script, memberId: string, generationId: number, instanceId?: string) =>
  on.ask(ApiKey.Heartbeat, 4, {
    groupId: on.name,
    memberId,
    generationId,
    groupInstanceId: instanceId ?? null,
  })

export const classicMemberScenarios: Scenario[] = [
  {
    title: 'a member takes the id that it was given, and comes again',
    run: async (on) => {
      const memberId = await idOf(on)
      await ask(on, { memberId })
      await ask(on, { memberId })
      await ask(on, { memberId, protocols: protocols('range', 'sticky') })
    },
  },
  {
    title: 'somebody has an id, but has not come',
    run: async (on) => {
      const memberId = await idOf(on)
      await heartbeat(on, memberId, 1)
      await on.ask(ApiKey.SyncGroup, 5, {
        groupId: on.name,
        memberId,
        generationId: 1,
        assignments: [],
      })
      const members = [{ memberId }]
      await on.ask(ApiKey.LeaveGroup, 5, { groupId: on.name, memberId: '', members })
      await ask(on, { memberId })
    },
  },
  {
    title: 'protocols of a second member that the first does not know',
    run: async (on) => {
      await ask(on, { protocols: protocols('range') }, 3)
      await ask(on.another(), { protocols: protocols('other') }, 3)
      await ask(on.another(), { protocolType: 'connect' }, 3)
      await ask(on.another(), { protocols: [] }, 3)
      await ask(on.another(), { protocols: protocols('other'), groupInstanceId: 'fixed' }, 5)
    },
  },
  {
    title: 'two members agree',
    run: async (on) => {
      const [one, two] = [on.another(), on.another()]
      const first = await ask(one, { protocols: protocols('range', 'sticky') }, 3)
      const second = ask(two, { protocols: protocols('sticky') }, 3)
      await untilRebalancing(on, first.memberId, first.generationId)
      await heartbeat(on, first.memberId, first.generationId)
      const again = { memberId: first.memberId, protocols: protocols('range', 'sticky') }
      const { generationId } = await ask(one, again, 3)
      const { memberId } = await second
      const syncOf = (id: string, protocolName: string) => ({
        groupId: on.name,
        memberId: id,
        generationId,
        protocolType: 'consumer',
        protocolName,
        assignments: [],
      })
      await on.ask(ApiKey.SyncGroup, 5, syncOf(memberId, 'range'))
      await on.ask(ApiKey.SyncGroup, 5, { ...syncOf(memberId, 'sticky'), generationId: 99 })
      await heartbeat(on, memberId, generationId)
      await on.ask(ApiKey.DeleteGroups, 2, { groupsNames: [on.name] })
      await on.ask(ApiKey.DescribeGroups, 5, { groups: [on.name] })
    },
  },
  {
    title: 'a static member comes twice',
    run: async (on) => {
      const first = await ask(on, { groupInstanceId: 'fixed' })
      await on.quietly(ApiKey.SyncGroup, 3, {
        groupId: on.name,
        memberId: first.memberId,
        generationId: first.generationId,
        groupInstanceId: 'fixed',
        assignments: [{ memberId: first.memberId, assignment: Buffer.from('all') }],
      })
      const second = await ask(on, { groupInstanceId: 'fixed' }, 9)
      await heartbeat(on, first.memberId, first.generationId, 'fixed')
      await heartbeat(on, first.memberId, first.generationId)
      await heartbeat(on, second.memberId, second.generationId, 'fixed')
      await heartbeat(on, second.memberId, second.generationId, 'other')
      await ask(on, { groupInstanceId: 'fixed', memberId: first.memberId })
      await ask(on, { groupInstanceId: 'other', memberId: second.memberId })
      const sync = { groupId: on.name, generationId: second.generationId, assignments: [] }
      await on.ask(ApiKey.SyncGroup, 5, {
        ...sync,
        memberId: first.memberId,
        groupInstanceId: 'fixed',
      })
      const members = [
        { memberId: first.memberId, groupInstanceId: 'fixed' },
        { memberId: second.memberId, groupInstanceId: 'fixed' },
      ]
      await on.ask(ApiKey.LeaveGroup, 5, { groupId: on.name, memberId: '', members })
    },
  },
  {
    title: 'a static member comes with other protocols',
    run: async (on) => {
      await ask(on, { groupInstanceId: 'fixed' })
      await ask(on, { groupInstanceId: 'fixed', protocols: protocols('sticky') })
    },
  },
  {
    title: 'a joined member names another group as its own',
    run: async (on) => {
      const { memberId, generationId } = await ask(on, {}, 3)
      const request = { groupId: `${on.name}-9`, memberId, generationId }
      await on.ask(ApiKey.Heartbeat, 3, request)
      await on.ask(ApiKey.SyncGroup, 3, { ...request, assignments: [] })
    },
  },
  {
    title: 'more members than a group may have',
    run: async (on) => {
      const members = await Promise.all([0, 1, 2, 3].map(() => idOf(on)))
      // The first settles the group; others wait for it, and who is too many is told at once.
      await ask(on, { memberId: members[0] })
      for (const memberId of members.slice(1))
        await on.another().send(ApiKey.JoinGroup, 5, joinOf(on.name, { memberId }))
      await untilMembers(on, 4)
      await ask(on.another(), {}, 3)
      await ask(on.another(), {}, 5)
    },
  },
  {
    title: 'coordinators of things that there are not',
    run: async (on) => {
      for (const version of [0, 1, 3, 4, 5, 6])
        for (const keyType of version === 0 ? [0] : [0, 1, 2, 7, -1])
          for (const key of ['', on.name])
            await on.ask(ApiKey.FindCoordinator, version, { key, keyType, coordinatorKeys: [key] })
    },
  },
  {
    title: 'groups listed by states and types that there are not',
    run: async (on) => {
      await ask(on, {}, 3)
      const own = ({
        errorCode,
        groups,
      }: {
        errorCode: number
        groups: readonly { groupId: string }[]
      }) => ({
        errorCode,
        groups: groups.filter(({ groupId }) => groupId === on.name),
      })
      const filters = [
        { statesFilter: [], typesFilter: [] },
        { statesFilter: ['Stable'], typesFilter: [] },
        { statesFilter: ['completingrebalance'], typesFilter: ['CLASSIC'] },
        { statesFilter: ['CompletingRebalance', 'nonsense'], typesFilter: [] },
        { statesFilter: ['nonsense'], typesFilter: [] },
        { statesFilter: [''], typesFilter: [] },
        { statesFilter: [], typesFilter: ['nonsense'] },
        { statesFilter: [], typesFilter: ['consumer'] },
        { statesFilter: [], typesFilter: ['classic', 'nonsense'] },
      ]
      for (const filter of filters) await on.ask(ApiKey.ListGroups, 5, filter, own)
      for (const version of [0, 3, 4]) await on.ask(ApiKey.ListGroups, version, filters[0], own)
    },
  },
]

async function untilRebalancing(on: Script, memberId: string, generationId: number): Promise<void> {
  const request = { groupId: on.name, memberId, generationId }
  await until(async () => (await on.quietly(ApiKey.Heartbeat, 3, request)).errorCode !== 0)
}

async function untilMembers(on: Script, count: number): Promise<void> {
  await until(async () => {
    const { groups } = await on.quietly(ApiKey.DescribeGroups, 5, { groups: [on.name] })
    return groups[0].members.length === count
  })
}

import { ApiKey, ConsumerProtocolSubscription, encodeVersioned } from '@millrace/wire'
import type { RequestOf, Script, Topic } from './script'

/** A group as a scenario finds it, and who is in it. */
export interface Group {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
  readonly instanceId: string | null
  readonly topic: Topic
}

export type JoinRequest = RequestOf<typeof ApiKey.JoinGroup>

/** What a consumer says of itself. */
export function subscription(...topics: string[]): Buffer {
  const said = { topics, userData: null, ownedPartitions: [] }
  return encodeVersioned(ConsumerProtocolSubscription, 1, said)
}

export function joinOf(groupId: string, more: Partial<JoinRequest> = {}): JoinRequest {
  return {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('a') }],
    ...more,
  }
}

async function joined(on: Script, topic: Topic, instanceId: string | null): Promise<Group> {
  const groupId = on.name
  const protocols = [{ name: 'range', metadata: subscription(topic.name) }]
  const version = instanceId === null ? 3 : 5
  const request = joinOf(groupId, { groupInstanceId: instanceId, protocols })
  const { memberId, generationId } = await on.quietly(ApiKey.JoinGroup, version, request)
  return { groupId, memberId, generationId, instanceId, topic }
}

async function synced(on: Script, group: Group): Promise<Group> {
  const { groupId, memberId, generationId, instanceId } = group
  await on.quietly(ApiKey.SyncGroup, 3, {
    groupId,
    memberId,
    generationId,
    groupInstanceId: instanceId,
    assignments: [{ memberId, assignment: Buffer.from('mine') }],
  })
  return group
}

async function committed(on: Script, group: Group): Promise<Group> {
  const { groupId, memberId, generationId, topic } = group
  const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'said' }]
  await on.quietly(ApiKey.OffsetCommit, 8, {
    groupId,
    memberId,
    generationIdOrMemberEpoch: generationId,
    topics: [{ name: topic.name, topicId: topic.id, partitions }],
  })
  return group
}

async function ofConsumerProtocol(on: Script, topic: Topic): Promise<Group> {
  const groupId = on.name
  const { memberId, memberEpoch } = await on.quietly(ApiKey.ConsumerGroupHeartbeat, 0, {
    groupId,
    memberId: '',
    memberEpoch: 0,
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: [topic.name],
    topicPartitions: [],
  })
  return { groupId, memberId: memberId!, generationId: memberEpoch, instanceId: null, topic }
}

export const groupStates: Record<string, (on: Script, topic: Topic) => Promise<Group>> = {
  'a group that there is not': async (on, topic) => ({
    groupId: on.name,
    memberId: 'nobody',
    generationId: 1,
    instanceId: null,
    topic,
  }),
  'a group that waits for its assignment': (on, topic) => joined(on, topic, null),
  'a stable group': async (on, topic) =>
    committed(on, await synced(on, await joined(on, topic, null))),
  'a stable group with a static member': async (on, topic) =>
    committed(on, await synced(on, await joined(on, topic, 'fixed'))),
  'an empty group': async (on, topic) => {
    const group = await committed(on, await synced(on, await joined(on, topic, null)))
    const { groupId, memberId } = group
    await on.quietly(ApiKey.LeaveGroup, 0, { groupId, memberId, members: [] })
    return group
  },
  'a group of offsets only': async (on, topic) =>
    committed(on, { groupId: on.name, memberId: '', generationId: -1, instanceId: null, topic }),
  'a group of the consumer protocol': async (on, topic) =>
    committed(on, await ofConsumerProtocol(on, topic)),
}

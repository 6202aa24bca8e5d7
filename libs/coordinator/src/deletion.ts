import { ErrorCode, protocolError } from '@millrace/wire'
import { coordinatorErrorOf } from './append-error'
import { GroupDraft } from './group/consumer/group-draft'
import { removeGroup } from './group/consumer/tombstones'
import { type Group, subscribedTopics } from './group/group'
import type { GroupRecord } from './records/codec'
import type { Shard } from './shard'

/** Removes an empty group with its offsets. Resolves with an error code. */
export async function deleteGroup(shard: Shard, groupId: string): Promise<number> {
  try {
    if (shard.isMoving(groupId)) await shard.whenSettled(groupId)
    const group = shard.group(groupId)
    if (!group) return ErrorCode.GROUP_ID_NOT_FOUND
    if (group.state !== 'Empty') return ErrorCode.NON_EMPTY_GROUP
    if (group.type === 'consumer') await deleteConsumerGroup(shard, groupId)
    else await shard.deleteClassicGroup(groupId, offsetTombstones(shard, groupId))
    return ErrorCode.NONE
  } catch (error) {
    return coordinatorErrorOf(error)
  }
}

function deleteConsumerGroup(shard: Shard, groupId: string): Promise<void> {
  return shard.change(groupId, (group) => {
    if (group.type === 'classic' || !group.isEmpty) throw protocolError(ErrorCode.NON_EMPTY_GROUP)
    const draft = new GroupDraft(group, offsetTombstones(shard, groupId))
    removeGroup(draft)
    return { draft, answer: undefined }
  })
}

/** Also of what a transaction may still commit: that must not bring the group back. */
function offsetTombstones(shard: Shard, groupId: string): GroupRecord[] {
  const offsets = shard.offsets(groupId)
  const records: GroupRecord[] = []
  const add = (topic: string, partition: number) =>
    records.push({ type: 'offset', key: { group: groupId, topic, partition }, value: null })
  for (const topic of offsets.topics()) {
    for (const partition of offsets.partitionsOf(topic).keys()) add(topic, partition)
  }
  for (const { topic, partition } of offsets.openPartitions()) {
    if (!offsets.get(topic, partition)) add(topic, partition)
  }
  return records
}

/** Removes offsets of topics that no member reads. A live group of another type than `consumer` keeps all. */
export async function deleteOffsets(
  shard: Shard,
  groupId: string,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): Promise<{ errorCode: number; partitionErrors: number[] }> {
  const group = shard.group(groupId)
  if (!group) return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, partitionErrors: [] }
  const isLive = group.state !== 'Empty'
  if (isLive && !isOfConsumers(group)) {
    return { errorCode: ErrorCode.NON_EMPTY_GROUP, partitionErrors: [] }
  }
  const subscribed = isLive ? subscribedTopics(group) : new Set<string>()
  const isRead = (topic: string) => subscribed === null || subscribed.has(topic)
  const offsets = shard.offsets(groupId)
  const removed = partitions.filter(
    ({ topic, partition }) =>
      !isRead(topic) &&
      (offsets.get(topic, partition) !== undefined || offsets.isOpen(topic, partition)),
  )
  try {
    if (removed.length > 0) await shard.deleteOffsets(groupId, removed)
  } catch (error) {
    return { errorCode: coordinatorErrorOf(error), partitionErrors: [] }
  }
  const partitionErrors = partitions.map(({ topic }) =>
    isRead(topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE,
  )
  return { errorCode: ErrorCode.NONE, partitionErrors }
}

/** Removes the offsets that any group has for a topic. @throws ProtocolError */
export async function deleteOffsetsOfTopic(shard: Shard, topic: string): Promise<void> {
  const deletions: Promise<void>[] = []
  for (const groupId of shard.groupIds()) {
    const offsets = shard.offsets(groupId)
    const partitions = new Set(offsets.partitionsOf(topic).keys())
    for (const open of offsets.openPartitions()) {
      if (open.topic === topic) partitions.add(open.partition)
    }
    if (partitions.size === 0) continue
    const keys = Array.from(partitions, (partition) => ({ topic, partition }))
    deletions.push(shard.deleteOffsets(groupId, keys))
  }
  await Promise.all(deletions)
}

/** Drops what is too old: offsets, and then the groups that have neither members nor offsets. @throws ProtocolError */
export async function expire(shard: Shard): Promise<void> {
  const groupIds = await shard.expireOffsets()
  await Promise.all(groupIds.map((groupId) => deleteGroup(shard, groupId)))
}

function isOfConsumers(group: Group): boolean {
  return group.type === 'consumer' || group.protocolType === 'consumer'
}

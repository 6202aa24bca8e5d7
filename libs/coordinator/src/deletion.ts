import { ErrorCode } from '@millrace/wire'
import { coordinatorErrorOf } from './append-error'
import { subscribedTopics } from './group/subscription'
import type { Shard } from './shard'

/** Removes an empty group with its offsets. Resolves with an error code. */
export async function deleteGroup(shard: Shard, groupId: string): Promise<number> {
  const group = shard.group(groupId)
  if (!group) return ErrorCode.GROUP_ID_NOT_FOUND
  if (group.state !== 'Empty') return ErrorCode.NON_EMPTY_GROUP
  try {
    await shard.deleteGroup(groupId)
    return ErrorCode.NONE
  } catch (error) {
    return coordinatorErrorOf(error)
  }
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
  if (isLive && group.protocolType !== 'consumer') {
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

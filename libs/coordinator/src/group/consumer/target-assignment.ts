import type { Assignor } from '../assignor'
import type { ConsumerGroup } from './consumer-group'
import type { ConsumerGroupContext } from './context'
import type { GroupDraft } from './group-draft'
import { isSameSet } from './member'
import { isSamePartitions, topicPartitionsOf } from './partitions'
import { topicIdsOf } from './subscription'

/** Makes a target assignment for the group's epoch, if there is none and it is time. */
export function updateTargetAssignment(draft: GroupDraft, context: ConsumerGroupContext): void {
  const { group } = draft
  if (!isAssignmentDue(group, context)) return
  const assignmentEpoch = group.epoch
  const { groupId } = draft
  for (const [memberId, partitions] of assign(group, context)) {
    const isSame = group.hasTarget(memberId) && isSamePartitions(group.target(memberId), partitions)
    if (isSame) continue
    const value = { topicPartitions: topicPartitionsOf(partitions) }
    draft.write({ type: 'target-member', groupId, memberId, value })
  }
  const value = { assignmentEpoch, assignmentTimestamp: context.clock.now() }
  draft.write({ type: 'target-epoch', groupId, value })
}

/** Whether the target assignment is out of date. A burst of members that come and go makes one in so much time, not one each. */
export function isAssignmentDue(
  group: ConsumerGroup,
  { clock, options }: Pick<ConsumerGroupContext, 'clock' | 'options'>,
): boolean {
  if (group.assignmentEpoch >= group.epoch) return false
  const { assignmentTimestamp } = group
  const { assignmentIntervalMs } = options
  if (assignmentTimestamp === 0 || assignmentIntervalMs === 0) return true
  return clock.now() >= assignmentTimestamp + assignmentIntervalMs
}

/** The one that most members ask for; by default the first. */
export function chooseAssignor(group: ConsumerGroup, assignors: readonly Assignor[]): Assignor {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of group.members.values()) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  let chosen = assignors[0]
  for (const assignor of assignors) {
    if ((votes.get(assignor.name) ?? 0) > (votes.get(chosen.name) ?? 0)) chosen = assignor
  }
  return chosen
}

function assign(group: ConsumerGroup, { topics, options }: ConsumerGroupContext) {
  const members = [...group.members.values()].map((member) => ({
    id: member.id,
    instanceId: member.instanceId,
    topicIds: topicIdsOf(member, group, topics),
    assigned: group.target(member.id),
  }))
  const isHomogeneous = members.every(({ topicIds }) => isSameSet(topicIds, members[0].topicIds))
  const partitionCount = (topicId: string) => {
    const name = topics.nameOf(topicId)
    return name === null ? 0 : topics.partitionCount(name)
  }
  return chooseAssignor(group, options.assignors).assign({ members, isHomogeneous, partitionCount })
}

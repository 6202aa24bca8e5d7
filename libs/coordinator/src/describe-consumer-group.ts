import { type ConsumerGroupDescribeResponse, ErrorCode, type InferInput } from '@millrace/wire'
import type { Assignor } from './group/assignor'
import type { ConsumerGroup } from './group/consumer/consumer-group'
import { type ConsumerMember, heldPartitions } from './group/consumer/member'
import { type Partitions, topicPartitionsOf } from './group/consumer/partitions'
import { chooseAssignor } from './group/consumer/target-assignment'
import type { TopicsView } from './topics-view'

type DescribedGroup = InferInput<typeof ConsumerGroupDescribeResponse>['groups'][number]
type DescribedMember = DescribedGroup['members'][number]

const MEMBER_TYPE = { classic: 0, consumer: 1 } as const

export function describeConsumerGroup(
  group: ConsumerGroup,
  topics: TopicsView,
  assignors: readonly Assignor[],
): DescribedGroup {
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: chooseAssignor(group, assignors).name,
    members: [...group.members.values()].map((member) => describeMember(member, group, topics)),
  }
}

function describeMember(
  member: ConsumerMember,
  group: ConsumerGroup,
  topics: TopicsView,
): DescribedMember {
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.subscribedTopicNames],
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: { topicPartitions: named(heldPartitions(member), topics) },
    targetAssignment: { topicPartitions: named(group.target(member.id), topics) },
    memberType: member.classic ? MEMBER_TYPE.classic : MEMBER_TYPE.consumer,
  }
}

interface NamedPartitions {
  readonly topicId: string
  readonly topicName: string
  readonly partitions: readonly number[]
}

/** Topics that are gone are left out. */
function named(partitions: Partitions, topics: TopicsView): NamedPartitions[] {
  return topicPartitionsOf(partitions).flatMap((topic) => {
    const topicName = topics.nameOf(topic.topicId)
    return topicName === null ? [] : [{ ...topic, topicName }]
  })
}

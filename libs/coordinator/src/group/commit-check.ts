import { ErrorCode } from '@millrace/wire'
import type { TopicsView } from '../topics-view'
import type { ConsumerGroup } from './consumer/consumer-group'
import type { ConsumerMember } from './consumer/member'
import type { Group } from './group'

/** First version of OffsetCommit that members of the consumer protocol may use: the errors before are not theirs. */
const COMMIT_MEMBER_EPOCH_VERSION = 9

export interface CommitClaim {
  readonly memberId: string
  readonly instanceId: string | null
  /** Or the member's epoch. */
  readonly generationId: number
  readonly isTransactional: boolean
  readonly apiVersion: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number }[]
  }[]
}

/** Whether a commit is accepted, as an error code (GROUP-2, GROUP-5). */
export function checkCommit(group: Group, claim: CommitClaim, topics: TopicsView): number {
  return group.type === 'classic' ? group.checkCommit(claim) : checkEpoch(group, claim, topics)
}

/** Whether a member may see the offsets of its group, as an error code. Tools do not say who they are. */
export function checkFetch(
  group: Group | null,
  { memberId, memberEpoch }: { memberId: string | null; memberEpoch: number },
): number {
  if (group?.type !== 'consumer' || (memberId === null && memberEpoch < 0)) return ErrorCode.NONE
  const member = memberId === null ? undefined : group.members.get(memberId)
  if (!member) return ErrorCode.UNKNOWN_MEMBER_ID
  return memberEpoch === member.epoch ? ErrorCode.NONE : staleError(member)
}

function checkEpoch(group: ConsumerGroup, claim: CommitClaim, topics: TopicsView): number {
  const { memberId, instanceId, generationId, isTransactional } = claim
  if (generationId < 0 && group.isEmpty) return ErrorCode.NONE
  const isAnonymous = generationId === -1 && memberId === '' && instanceId === null
  if (isTransactional && isAnonymous) return ErrorCode.NONE
  const member = group.members.get(memberId)
  if (!member) return ErrorCode.UNKNOWN_MEMBER_ID
  const isOldRequest = !isTransactional && claim.apiVersion < COMMIT_MEMBER_EPOCH_VERSION
  if (isOldRequest && member.classic === null) return ErrorCode.UNSUPPORTED_VERSION
  if (generationId === member.epoch) return ErrorCode.NONE
  // An older epoch is good enough for what the member has had since before: it only missed what changed beside it.
  const isGood = generationId < member.epoch && hasOwnedSince(member, claim, topics)
  return isGood ? ErrorCode.NONE : staleError(member)
}

function hasOwnedSince(member: ConsumerMember, claim: CommitClaim, topics: TopicsView): boolean {
  return claim.topics.every(({ name, partitions }) => {
    const topicId = topics.topicId(name) ?? ''
    const assigned = member.assigned.get(topicId)
    const pending = member.pendingRevocation.get(topicId)
    return partitions.every(({ partitionIndex }) => {
      const since = assigned?.get(partitionIndex) ?? pending?.get(partitionIndex)
      return since !== undefined && claim.generationId >= since
    })
  })
}

function staleError(member: ConsumerMember): number {
  return member.classic ? ErrorCode.ILLEGAL_GENERATION : ErrorCode.STALE_MEMBER_EPOCH
}

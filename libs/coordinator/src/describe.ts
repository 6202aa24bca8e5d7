import type {
  DescribeGroupsResponse,
  Infer,
  InferInput,
  ListGroupsRequest,
  ListGroupsResponse,
} from '@millrace/wire'
import { ErrorCode } from '@millrace/wire'
import type { ClassicGroup } from './group/classic/classic-group'
import { metadataOf } from './group/classic/member'
import type { Group } from './group/group'

type DescribedGroup = InferInput<typeof DescribeGroupsResponse>['groups'][number]
type ListedGroup = InferInput<typeof ListGroupsResponse>['groups'][number]

const CONSUMER_PROTOCOL_TYPE = 'consumer'
const NOTHING = Buffer.alloc(0)

/** What members offer and got is only settled, and only shown, in a stable group. */
export function describeGroup(group: ClassicGroup): DescribedGroup {
  const isStable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: (isStable && group.protocolName) || '',
    members: group.members.map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataOf(member, group.protocolName) : NOTHING,
      memberAssignment: isStable ? member.assignment : NOTHING,
    })),
  }
}

/** With GROUP_ID_NOT_FOUND, `message` is its text; without an error, it is ignored and the group is called dead. */
export function unknownGroup(groupId: string, errorCode: number, message: string): DescribedGroup {
  const isMissing = errorCode === ErrorCode.NONE || errorCode === ErrorCode.GROUP_ID_NOT_FOUND
  return {
    errorCode,
    errorMessage: errorCode === ErrorCode.GROUP_ID_NOT_FOUND ? message : null,
    groupId,
    groupState: isMissing ? 'Dead' : '',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}

export function listedGroup(group: Group): ListedGroup {
  const { groupId, state: groupState, type: groupType } = group
  const protocolType = group.type === 'consumer' ? CONSUMER_PROTOCOL_TYPE : group.protocolType
  return { groupId, protocolType: protocolType ?? '', groupState, groupType }
}

/** Filters are empty for all; case does not matter. */
export function isListed(group: Group, filters: Infer<typeof ListGroupsRequest>): boolean {
  return matches(group.state, filters.statesFilter) && matches(group.type, filters.typesFilter)
}

function matches(value: string, filter: readonly string[]): boolean {
  const wanted = value.toLowerCase()
  return filter.length === 0 || filter.some((text) => text.trim().toLowerCase() === wanted)
}

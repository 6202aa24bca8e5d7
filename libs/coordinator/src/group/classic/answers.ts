/** What members are told. */
import { ErrorCode } from '@millrace/wire'
import { type JoinResult, type Member, metadataOf, type SyncResult } from './member'
import type { Members } from './members'

const NO_ASSIGNMENT = Buffer.alloc(0)

/** What all members of a generation agree on. */
export interface Generation {
  readonly id: number
  /** Null if nobody ever joined. */
  readonly protocolType: string | null
  /** Null while the group is empty. */
  readonly protocolName: string | null
}

export function joinError(memberId: string, errorCode: number): JoinResult {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    memberId,
    members: [],
  }
}

export function syncError(errorCode: number): SyncResult {
  return { errorCode, assignment: NO_ASSIGNMENT }
}

/** The answer to the join of a member: the leader gets to know all members, to assign to them. */
export function generationFor(
  member: Member,
  members: Members,
  { id, protocolType, protocolName }: Generation,
): JoinResult {
  const isLeader = member.id === members.leaderId
  const others = isLeader ? [...members.all()] : []
  return {
    errorCode: ErrorCode.NONE,
    generationId: id,
    protocolType,
    protocolName,
    leader: members.leaderId ?? '',
    skipAssignment: false,
    memberId: member.id,
    members: others.map((other) => ({
      memberId: other.id,
      groupInstanceId: other.instanceId,
      metadata: metadataOf(other, protocolName),
    })),
  }
}

export function assignmentOf(
  { assignment }: Member,
  { protocolType, protocolName }: Generation,
): SyncResult {
  return { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment }
}

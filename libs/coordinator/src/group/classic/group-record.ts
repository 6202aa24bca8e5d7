import type { GroupMetadataValue } from '../../records/group-metadata'
import type { Generation } from './answers'
import { type Member, metadataOf } from './member'
import type { Members } from './members'

/**
 * In the place of the time of the last change of state: the members are about to rebalance, as the assignment leaves something out.
 * Before Kafka 2.1 no group had that time; one more rebalance does it no harm.
 */
export const UNSETTLED = -1

type MemberRecord = GroupMetadataValue['members'][number]

/** The members of a stored group; each gets a whole session from `nowMs` on to come back. */
export function membersOf(value: GroupMetadataValue, nowMs: number): Member[] {
  return value.members.map((record) => ({
    id: record.memberId,
    instanceId: record.groupInstanceId,
    clientId: record.clientId,
    clientHost: record.clientHost,
    sessionTimeoutMs: record.sessionTimeout,
    rebalanceTimeoutMs:
      record.rebalanceTimeout === -1 ? record.sessionTimeout : record.rebalanceTimeout,
    // The buffers of the record are views of a whole batch: copied, so that they do not keep it.
    protocols: [{ name: value.protocol ?? '', metadata: Buffer.from(record.subscription) }],
    assignment: Buffer.from(record.assignment),
    parkedJoin: null,
    parkedSync: null,
    isNew: false,
    sessionDeadlineMs: nowMs + record.sessionTimeout,
  }))
}

/** The group's record, with the members' present assignments or those given. */
export function groupRecord(
  group: {
    readonly generation: Generation
    readonly stateSince: number
    readonly members: Members
  },
  assignments?: ReadonlyMap<string, Buffer>,
): GroupMetadataValue {
  const { generation, stateSince, members } = group
  return {
    protocolType: generation.protocolType ?? '',
    generation: generation.id,
    protocol: generation.protocolName,
    leader: members.leaderId,
    currentStateTimestamp: stateSince,
    members: [...members.all()].map((member) =>
      memberRecord(
        member,
        generation.protocolName,
        assignments?.get(member.id) ?? member.assignment,
      ),
    ),
  }
}

function memberRecord(
  member: Member,
  protocolName: string | null,
  assignment: Buffer,
): MemberRecord {
  return {
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeout: member.rebalanceTimeoutMs,
    sessionTimeout: member.sessionTimeoutMs,
    subscription: metadataOf(member, protocolName),
    assignment,
  }
}

/**
 * JoinGroup, key 11 - versions 0 to 9: become a member of a classic group, and wait for its next
 * generation.
 * Versions: 1 rebalance timeout; 4 a first join without member id is answered MEMBER_ID_REQUIRED;
 *   5 static members; 6 flexible; 7 protocol type in the answer; 8 reason; 9 the leader may be
 *   told to keep the assignment.
 */
import { field, list, message, type Infer } from '../schema'

export const JoinGroupRequest = message(
  { name: 'JoinGroupRequest', key: 11, versions: '0-9', flexible: '6+' },
  {
    groupId: field('string', '0+'),
    sessionTimeoutMs: field('int32', '0+'),
    rebalanceTimeoutMs: field('int32', '1+', {
      default: -1,
      doc: '-1 (version 0): the session timeout counts.',
    }),
    memberId: field('string', '0+', { doc: 'Empty on the first join.' }),
    groupInstanceId: field('string?', '5+', { default: null }),
    protocolType: field('string', '0+'),
    protocols: list('0+', {
      name: field('string', '0+'),
      metadata: field('bytes', '0+'),
    }),
    reason: field('string?', '8+', { default: null }),
  },
)
export type JoinGroupRequest = Infer<typeof JoinGroupRequest>

export const JoinGroupResponse = message(
  { name: 'JoinGroupResponse', key: 11, versions: '0-9', flexible: '6+' },
  {
    throttleTimeMs: field('int32', '2+'),
    errorCode: field('int16', '0+'),
    generationId: field('int32', '0+', { default: -1 }),
    protocolType: field('string?', '7+', { default: null }),
    protocolName: field('string', '0+', { nullable: '7+' }),
    leader: field('string', '0+'),
    skipAssignment: field('bool', '9+', { default: false }),
    memberId: field('string', '0+'),
    members: list('0+', {
      memberId: field('string', '0+'),
      groupInstanceId: field('string?', '5+', { default: null }),
      metadata: field('bytes', '0+'),
    }),
  },
)
export type JoinGroupResponse = Infer<typeof JoinGroupResponse>

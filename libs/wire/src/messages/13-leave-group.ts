/**
 * LeaveGroup, key 13 - versions 0 to 5: leave a classic group.
 * Versions: 3 many members in one request, static ones by their instance id; 4 flexible; 5 reason.
 */
import { field, list, message, type Infer } from '../schema'

export const LeaveGroupRequest = message(
  { name: 'LeaveGroupRequest', key: 13, versions: '0-5', flexible: '4+' },
  {
    groupId: field('string', '0+'),
    memberId: field('string', '0-2'),
    members: list('3+', {
      memberId: field('string', '3+'),
      groupInstanceId: field('string?', '3+', { default: null }),
      reason: field('string?', '5+', { default: null }),
    }),
  },
)
export type LeaveGroupRequest = Infer<typeof LeaveGroupRequest>

export const LeaveGroupResponse = message(
  { name: 'LeaveGroupResponse', key: 13, versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: field('int32', '1+'),
    errorCode: field('int16', '0+'),
    members: list('3+', {
      memberId: field('string', '3+'),
      groupInstanceId: field('string?', '3+'),
      errorCode: field('int16', '3+'),
    }),
  },
)
export type LeaveGroupResponse = Infer<typeof LeaveGroupResponse>

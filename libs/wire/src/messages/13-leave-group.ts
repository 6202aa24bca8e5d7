/** LeaveGroup, key 13. */
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

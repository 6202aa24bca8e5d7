/**
 * SyncGroup, key 14 - versions 0 to 5: the leader hands in the assignment, each member gets its
 * share.
 * Versions: 3 static members; 4 flexible; 5 protocol type and name, which must be those of the
 *   group.
 */
import { field, list, message, type Infer } from '../schema'

export const SyncGroupRequest = message(
  { name: 'SyncGroupRequest', key: 14, versions: '0-5', flexible: '4+' },
  {
    groupId: field('string', '0+'),
    generationId: field('int32', '0+'),
    memberId: field('string', '0+'),
    groupInstanceId: field('string?', '3+', { default: null }),
    protocolType: field('string?', '5+', { default: null }),
    protocolName: field('string?', '5+', { default: null }),
    assignments: list('0+', {
      memberId: field('string', '0+'),
      assignment: field('bytes', '0+'),
    }),
  },
)
export type SyncGroupRequest = Infer<typeof SyncGroupRequest>

export const SyncGroupResponse = message(
  { name: 'SyncGroupResponse', key: 14, versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: field('int32', '1+'),
    errorCode: field('int16', '0+'),
    protocolType: field('string?', '5+', { default: null }),
    protocolName: field('string?', '5+', { default: null }),
    assignment: field('bytes', '0+'),
  },
)
export type SyncGroupResponse = Infer<typeof SyncGroupResponse>

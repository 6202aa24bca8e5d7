/**
 * DescribeGroups, key 15 - versions 0 to 6: state and members of classic groups.
 * Versions: 3 authorised operations; 4 static members; 5 flexible; 6 GROUP_ID_NOT_FOUND for a
 *   group that does not exist (before: state Dead).
 */
import { field, list, message, type Infer } from '../schema'

export const DescribeGroupsRequest = message(
  { name: 'DescribeGroupsRequest', key: 15, versions: '0-6', flexible: '5+' },
  {
    groups: list('0+', 'string'),
    includeAuthorizedOperations: field('bool', '3+'),
  },
)
export type DescribeGroupsRequest = Infer<typeof DescribeGroupsRequest>

export const DescribeGroupsResponse = message(
  { name: 'DescribeGroupsResponse', key: 15, versions: '0-6', flexible: '5+' },
  {
    throttleTimeMs: field('int32', '1+'),
    groups: list('0+', {
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '6+', { default: null }),
      groupId: field('string', '0+'),
      groupState: field('string', '0+'),
      protocolType: field('string', '0+'),
      protocolData: field('string', '0+', {
        doc: 'The protocol in use; for consumers the name of the assignor.',
      }),
      members: list('0+', {
        memberId: field('string', '0+'),
        groupInstanceId: field('string?', '4+', { default: null }),
        clientId: field('string', '0+'),
        clientHost: field('string', '0+'),
        memberMetadata: field('bytes', '0+'),
        memberAssignment: field('bytes', '0+'),
      }),
      authorizedOperations: field('int32', '3+', { default: -2147483648 }),
    }),
  },
)
export type DescribeGroupsResponse = Infer<typeof DescribeGroupsResponse>

/**
 * ListGroups, key 16 - versions 0 to 5: the groups that this broker coordinates.
 * Versions: 3 flexible; 4 states; 5 types (classic, consumer, ...).
 */
import { field, list, message, type Infer } from '../schema'

export const ListGroupsRequest = message(
  { name: 'ListGroupsRequest', key: 16, versions: '0-5', flexible: '3+' },
  {
    statesFilter: list('4+', 'string'),
    typesFilter: list('5+', 'string'),
  },
)
export type ListGroupsRequest = Infer<typeof ListGroupsRequest>

export const ListGroupsResponse = message(
  { name: 'ListGroupsResponse', key: 16, versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: field('int32', '1+'),
    errorCode: field('int16', '0+'),
    groups: list('0+', {
      groupId: field('string', '0+'),
      protocolType: field('string', '0+'),
      groupState: field('string', '4+'),
      groupType: field('string', '5+'),
    }),
  },
)
export type ListGroupsResponse = Infer<typeof ListGroupsResponse>

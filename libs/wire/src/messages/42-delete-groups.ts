/** DeleteGroups, key 42 - versions 0 to 2. 2 is flexible; nothing else changed. */
import { field, list, message, type Infer } from '../schema'

export const DeleteGroupsRequest = message(
  { name: 'DeleteGroupsRequest', key: 42, versions: '0-2', flexible: '2+' },
  {
    groupsNames: list('0+', 'string'),
  },
)
export type DeleteGroupsRequest = Infer<typeof DeleteGroupsRequest>

export const DeleteGroupsResponse = message(
  { name: 'DeleteGroupsResponse', key: 42, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    results: list('0+', {
      groupId: field('string', '0+'),
      errorCode: field('int16', '0+'),
    }),
  },
)
export type DeleteGroupsResponse = Infer<typeof DeleteGroupsResponse>

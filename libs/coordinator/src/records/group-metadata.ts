/** A classic group in `__consumer_offsets`. The version that leads a key is the record's type. */
import { field, list, message, type Infer } from '@millrace/wire'

export const GroupMetadataKey = message(
  { name: 'GroupMetadataKey', key: -1, versions: '2', flexible: 'none' },
  { group: field('string', '0+') },
)
export type GroupMetadataKey = Infer<typeof GroupMetadataKey>
export const GROUP_METADATA_KEY_VERSION = 2

export const GroupMetadataValue = message(
  { name: 'GroupMetadataValue', key: -1, versions: '0-4', flexible: '4+' },
  {
    protocolType: field('string', '0+'),
    generation: field('int32', '0+'),
    protocol: field('string?', '0+'),
    leader: field('string?', '0+'),
    currentStateTimestamp: field('int64', '2+', { default: -1 }),
    members: list('0+', {
      memberId: field('string', '0+'),
      groupInstanceId: field('string?', '3+', { default: null }),
      clientId: field('string', '0+'),
      clientHost: field('string', '0+'),
      rebalanceTimeout: field('int32', '1+', { default: -1 }),
      sessionTimeout: field('int32', '0+'),
      subscription: field('bytes', '0+'),
      assignment: field('bytes', '0+'),
    }),
  },
)
export type GroupMetadataValue = Infer<typeof GroupMetadataValue>
export const GROUP_METADATA_VALUE_VERSION = 3

/** A committed offset in `__consumer_offsets`. The version that leads a key is the record's type. */
import { field, message, type Infer } from '@millrace/wire'

/** Type 0 is what Kafka wrote long ago, type 1 is written now; their bytes are the same. */
export const OffsetCommitKey = message(
  { name: 'OffsetCommitKey', key: -1, versions: '0-1', flexible: 'none' },
  {
    group: field('string', '0+'),
    topic: field('string', '0+'),
    partition: field('int32', '0+'),
  },
)
export type OffsetCommitKey = Infer<typeof OffsetCommitKey>
export const OFFSET_COMMIT_KEY_VERSION = 1

export const OffsetCommitValue = message(
  { name: 'OffsetCommitValue', key: -1, versions: '0-4', flexible: '4+' },
  {
    offset: field('int64', '0+'),
    leaderEpoch: field('int32', '3+', { default: -1 }),
    metadata: field('string', '0+'),
    commitTimestamp: field('int64', '0+'),
    expireTimestamp: field('int64', '1', { default: -1 }),
    topicId: field('uuid', '4+', { tag: 0 }),
  },
)
export type OffsetCommitValue = Infer<typeof OffsetCommitValue>
export const OFFSET_COMMIT_VALUE_VERSION = 4
/** The only version that holds a time of expiry, which clients before version 5 of OffsetCommit may ask for. */
export const OFFSET_COMMIT_EXPIRING_VALUE_VERSION = 1

import { decodeVersioned, encodeVersioned, type MessageSpec } from '@millrace/wire'
import type { LogRecord } from './codec'
import {
  CONSUMER_GROUP_TYPE,
  CONSUMER_MEMBER_TYPE,
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
  CURRENT_ASSIGNMENT_TYPE,
  REGULAR_EXPRESSION_TYPE,
  TARGET_EPOCH_TYPE,
  TARGET_MEMBER_TYPE,
} from './consumer-group'

/** What a record of a consumer group says; a null value removes the key. */
export type ConsumerGroupRecord = { readonly groupId: string } & (
  | { readonly type: 'consumer-group'; readonly value: ConsumerGroupMetadataValue | null }
  | {
      readonly type: 'target-epoch'
      readonly value: ConsumerGroupTargetAssignmentMetadataValue | null
    }
  | {
      readonly type: 'consumer-member'
      readonly memberId: string
      readonly value: ConsumerGroupMemberMetadataValue | null
    }
  | {
      readonly type: 'target-member'
      readonly memberId: string
      readonly value: ConsumerGroupTargetAssignmentMemberValue | null
    }
  | {
      readonly type: 'current-assignment'
      readonly memberId: string
      readonly value: ConsumerGroupCurrentMemberAssignmentValue | null
    }
  | {
      readonly type: 'regular-expression'
      readonly regularExpression: string
      readonly value: ConsumerGroupRegularExpressionValue | null
    }
)

interface Row {
  readonly type: ConsumerGroupRecord['type']
  /** The version that leads the key. */
  readonly keyVersion: number
  readonly key: MessageSpec
  readonly value: MessageSpec
}

const rows: readonly Row[] = [
  {
    type: 'consumer-group',
    keyVersion: CONSUMER_GROUP_TYPE,
    key: ConsumerGroupMetadataKey,
    value: ConsumerGroupMetadataValue,
  },
  {
    type: 'consumer-member',
    keyVersion: CONSUMER_MEMBER_TYPE,
    key: ConsumerGroupMemberMetadataKey,
    value: ConsumerGroupMemberMetadataValue,
  },
  {
    type: 'target-epoch',
    keyVersion: TARGET_EPOCH_TYPE,
    key: ConsumerGroupTargetAssignmentMetadataKey,
    value: ConsumerGroupTargetAssignmentMetadataValue,
  },
  {
    type: 'target-member',
    keyVersion: TARGET_MEMBER_TYPE,
    key: ConsumerGroupTargetAssignmentMemberKey,
    value: ConsumerGroupTargetAssignmentMemberValue,
  },
  {
    type: 'current-assignment',
    keyVersion: CURRENT_ASSIGNMENT_TYPE,
    key: ConsumerGroupCurrentMemberAssignmentKey,
    value: ConsumerGroupCurrentMemberAssignmentValue,
  },
  {
    type: 'regular-expression',
    keyVersion: REGULAR_EXPRESSION_TYPE,
    key: ConsumerGroupRegularExpressionKey,
    value: ConsumerGroupRegularExpressionValue,
  },
]
const rowByType = new Map(rows.map((row) => [row.type, row]))
const rowByKeyVersion = new Map(rows.map((row) => [row.keyVersion, row]))

const VALUE_VERSION = 0

export function encodeConsumerGroupRecord(record: ConsumerGroupRecord): LogRecord {
  const row = rowByType.get(record.type)!
  return {
    key: encodeVersioned(row.key, row.keyVersion, record as never),
    value:
      record.value === null
        ? null
        : encodeVersioned(row.value, VALUE_VERSION, record.value as never),
  }
}

/**
 * Reads a record whose key starts with `keyVersion`, or null if it is of another type. What the value holds in bytes is a
 * view of it. @throws PlatformError WIRE_*
 */
export function decodeConsumerGroupRecord(
  keyVersion: number,
  { key, value }: LogRecord,
): ConsumerGroupRecord | null {
  const row = rowByKeyVersion.get(keyVersion)
  if (!row) return null
  return {
    type: row.type,
    ...decodeVersioned(row.key, key).value,
    value: value && decodeVersioned(row.value, value).value,
  } as unknown as ConsumerGroupRecord
}

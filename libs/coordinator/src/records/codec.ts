import { decodeVersioned, encodeVersioned } from '@millrace/wire'
import {
  type ConsumerGroupRecord,
  decodeConsumerGroupRecord,
  encodeConsumerGroupRecord,
} from './consumer-group-codec'
import {
  GROUP_METADATA_KEY_VERSION,
  GROUP_METADATA_VALUE_VERSION,
  GroupMetadataKey,
  GroupMetadataValue,
} from './group-metadata'
import {
  OFFSET_COMMIT_EXPIRING_VALUE_VERSION,
  OFFSET_COMMIT_KEY_VERSION,
  OFFSET_COMMIT_VALUE_VERSION,
  OffsetCommitKey,
  OffsetCommitValue,
} from './offset-commit'

/** One record of `__consumer_offsets` as it lies in the log; a null value is a tombstone. */
export interface LogRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** What such a record says; a null value removes the key. */
export type GroupRecord =
  | {
      readonly type: 'offset'
      readonly key: OffsetCommitKey
      readonly value: OffsetCommitValue | null
    }
  | {
      readonly type: 'group'
      readonly groupId: string
      readonly value: GroupMetadataValue | null
    }
  | ConsumerGroupRecord

export function encodeRecord(record: GroupRecord): LogRecord {
  if (record.type === 'group') {
    const key = { group: record.groupId }
    return {
      key: encodeVersioned(GroupMetadataKey, GROUP_METADATA_KEY_VERSION, key),
      value:
        record.value &&
        encodeVersioned(GroupMetadataValue, GROUP_METADATA_VALUE_VERSION, record.value),
    }
  }
  if (record.type !== 'offset') return encodeConsumerGroupRecord(record)
  return {
    key: encodeVersioned(OffsetCommitKey, OFFSET_COMMIT_KEY_VERSION, record.key),
    value: record.value && encodeOffset(record.value),
  }
}

/**
 * Reads a record, or null if it is of a type that is not known here (share and streams groups).
 * @throws PlatformError WIRE_* if its bytes make no sense.
 */
export function decodeRecord({ key, value }: LogRecord): GroupRecord | null {
  const type = key.length >= 2 ? key.readInt16BE(0) : -1
  if (type === GROUP_METADATA_KEY_VERSION) {
    return {
      type: 'group',
      groupId: decodeVersioned(GroupMetadataKey, key).value.group,
      value: value && decodeVersioned(GroupMetadataValue, value).value,
    }
  }
  if (type !== 0 && type !== OFFSET_COMMIT_KEY_VERSION) {
    return decodeConsumerGroupRecord(type, { key, value })
  }
  return {
    type: 'offset',
    key: decodeVersioned(OffsetCommitKey, key).value,
    value: value && decodeVersioned(OffsetCommitValue, value).value,
  }
}

function encodeOffset(value: OffsetCommitValue): Buffer {
  const version =
    value.expireTimestamp === -1
      ? OFFSET_COMMIT_VALUE_VERSION
      : OFFSET_COMMIT_EXPIRING_VALUE_VERSION
  return encodeVersioned(OffsetCommitValue, version, value)
}

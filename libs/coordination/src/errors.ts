import { defineErrors } from '@millrace/base'

export const coordinationErrors = defineErrors({
  COORDINATION_JOURNAL_CORRUPT: {
    retriable: false,
    says: 'metadata journal {file} is damaged at byte {position}: {reason}',
    todo: 'acknowledged metadata is unreadable: restore the metadata directory from a copy, check the disk',
  },
  COORDINATION_SNAPSHOT_CORRUPT: {
    retriable: false,
    says: 'metadata snapshot {file} is damaged: {reason}',
    todo: 'restore the metadata directory from a copy, check the disk',
  },
  COORDINATION_STORE_FAILED: {
    retriable: false,
    says: 'the metadata store could not write {file} and has stopped',
    todo: 'fix the disk (full, failing, read-only) and restart; it is unknown whether the last change is kept',
  },
  COORDINATION_REVISION_COMPACTED: {
    retriable: true,
    says: 'changes since revision {revision} are no longer kept, the oldest is {oldestRevision}',
    todo: 'read the whole range again and watch from its revision',
  },
  COORDINATION_OVERLOADED: {
    retriable: true,
    says: 'more than {limit} metadata changes are waiting',
    todo: 'try again later; the disk may be slow',
  },
  COORDINATION_TRANSACTION_TOO_LARGE: {
    retriable: false,
    says: 'a metadata change of {bytes} bytes exceeds the limit of {limit}',
    todo: 'split the change',
  },
  COORDINATION_DUPLICATE_KEY: {
    retriable: false,
    says: 'key {key} occurs twice in one transaction',
    todo: 'change a key once per transaction',
  },
  COORDINATION_CLOSED: {
    retriable: false,
    says: 'the metadata store is closed',
    todo: 'the process is shutting down',
  },
})

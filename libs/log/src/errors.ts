import { defineErrors } from '@millrace/base'

export const logErrors = defineErrors({
  LOG_CORRUPT_BATCH: {
    retriable: false,
    says: 'batch at {position} of {where} is damaged: {reason}',
    todo: 'a producer sends it again; in a stored segment check the disk and restore it from a copy',
  },
  LOG_TRUNCATED_BELOW_RECOVERY_POINT: {
    retriable: false,
    says: '{where} is good only up to offset {offset}, but everything below {recoveryPoint} was synced',
    todo: 'check the disk and restore the partition from a copy, or accept the loss by removing its line from recovery-point-offset-checkpoint',
  },
  LOG_BATCH_TOO_LARGE: {
    retriable: false,
    says: 'a batch of {sizeBytes} bytes for {where} passes the limit of {maxBytes}',
    todo: 'send smaller batches, or raise max.message.bytes (and segment.bytes) of the topic',
  },
  LOG_INVALID_RECORD: {
    retriable: false,
    says: 'records for {where} are refused: {reason}',
    todo: 'correct the producer',
  },
  LOG_UNREADABLE_RECORDS: {
    retriable: false,
    says: 'records for {where} cannot be unpacked: {reason}',
    todo: 'the client compressed them wrongly, or with a codec that does not exist',
  },
  LOG_BATCH_ABOVE_SEGMENT: {
    retriable: false,
    says: '{sizeBytes} bytes for {where} pass segment.bytes, which is {maxBytes}',
    todo: 'send smaller batches, or raise segment.bytes of the topic',
  },
  LOG_INVALID_TIMESTAMP: {
    retriable: false,
    says: 'timestamp {timestamp} for {where} {reason}',
    todo: 'correct the clock of the producer, or widen message.timestamp.before.max.ms and message.timestamp.after.max.ms',
  },
  LOG_INVALID_TXN_STATE: {
    retriable: false,
    says: 'a batch of producer {producerId} for {where} is refused: {reason}',
    todo: 'the producer must abort its transaction, or begin one before it sends',
  },
  LOG_COORDINATOR_FENCED: {
    retriable: false,
    says: 'a marker of producer {producerId} for {where} comes from coordinator epoch {epoch}, which has seen {currentEpoch}',
    todo: 'nothing: a newer coordinator has taken over this transactional id',
  },
  LOG_OUT_OF_ORDER_SEQUENCE: {
    retriable: false,
    says: 'producer {producerId} sent sequence {sequence} to {where} after {lastSequence}',
    todo: 'the producer lost a batch: it must raise its epoch and start again',
  },
  LOG_INVALID_PRODUCER_EPOCH: {
    retriable: false,
    says: 'producer {producerId} sent epoch {epoch} to {where}, which has seen {currentEpoch}',
    todo: 'a newer instance of this producer took over: stop this one',
  },
  LOG_OFFSET_OUT_OF_RANGE: {
    retriable: false,
    says: 'offset {offset} of {where} is outside {logStartOffset} to {logEndOffset}',
    todo: 'start from the beginning or the end of the log (auto.offset.reset)',
  },
  LOG_STORAGE_FAILED: {
    retriable: true,
    says: 'the disk failed under {where}: {reason}',
    todo: 'check the disk and its free space, then restart: what was not synced is unknown until then',
  },
  LOG_DISK_FULL: {
    retriable: true,
    says: 'there is no room on the disk for {where}',
    todo: 'make room: delete topics, or shorten their retention; writing goes on by itself',
  },
  LOG_CLOSED: {
    retriable: true,
    says: '{where} is closed',
    todo: 'the topic was deleted or the broker is stopping: look up its leader again',
  },
  LOG_EXISTS: {
    retriable: false,
    says: '{where} exists with topic id {topicId}',
    todo: 'delete the old topic first',
  },
  LOG_NOT_FOUND: {
    retriable: true,
    says: '{where} is not on this node',
    todo: 'nothing: once it is created here, it is put where it was to be moved to',
  },
  LOG_DIRECTORY_UNKNOWN: {
    retriable: false,
    says: '{directory} is none of the log directories of this node',
    todo: 'name one of log.dirs',
  },
  LOG_MOVE_FAILED: {
    retriable: true,
    says: '{where} was not moved to {directory}: {reason}',
    todo: 'it is served from where it was; ask for the move again',
  },
  LOG_IN_TWO_DIRECTORIES: {
    retriable: false,
    says: '{where} lies in {directory} and in {other}',
    todo: 'one is left from a topic that was deleted while its disk was away: remove the one whose partition.metadata has the wrong topic_id',
  },
  LOG_DIRECTORY_LOCKED: {
    retriable: false,
    says: 'log directory {directory} is in use by another process',
    todo: 'stop the other process or choose another log.dirs',
  },
  LOG_DIRECTORY_UNWRITABLE: {
    retriable: false,
    says: 'log directory {directory} cannot be used: {reason}',
    todo: 'create it and give this user the right to write in it',
  },
  LOG_DIRECTORY_FOREIGN: {
    retriable: false,
    says: 'log directory {directory} belongs to {property} {found}, not {expected}',
    todo: 'point log.dirs at the directory of this node, or move the foreign one away',
  },
  LOG_CORRUPT_FILE: {
    retriable: false,
    says: '{file} cannot be read: {reason}',
    todo: 'restore the file from a copy; a checkpoint may be removed, the log is then scanned in full',
  },
  LOG_CLEANING_ABORTED: {
    retriable: true,
    says: 'the compaction of {where} was given up',
    todo: 'nothing: the log changed meanwhile, or the broker is stopping; it is compacted later',
  },
  LOG_UNCLEANABLE: {
    retriable: false,
    says: '{where} cannot be compacted: {reason}',
    todo: 'it is served as it is and grows; repair it or raise the limit that is named, then restart',
  },
})

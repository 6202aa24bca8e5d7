import type { Clock, Disk, Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import type { AppendOrigin } from './check-records'
import type { LogConfig } from './config'
import type { GroupCommit } from './group-commit'
import type { TailCache } from './tail-cache'
import type { TimestampOffset } from './time-index'

/** What a log needs of the directory it lies in, whose checkpoints hold lines of all logs. */
export interface LogDirectoryHooks {
  saveRecoveryPoints(): Promise<void>
  saveStartOffsets(): Promise<void>
  /** The disk failed under one log: the others of the directory cannot be trusted to fare better. */
  onStorageFailure(cause: unknown): void
}

/** What all logs of a node share. */
export interface LogShared {
  readonly groupCommit: GroupCommit
  readonly tailCache: TailCache
  /** `producer.id.expiration.ms`, which may change. */
  producerExpirationMs: number
}

export interface LogDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  readonly shared: LogShared
  readonly hooks: LogDirectoryHooks
}

/** Another directory for a log, and what it needs there. */
export interface LogHome {
  readonly deps: LogDeps
  readonly directory: string
}

export interface LogOptions {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  /** The path of the partition's own directory, which exists. */
  readonly directory: string
  readonly config: LogConfig
  readonly isClean: boolean
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** How far the log was compacted; absent if it never was. */
  readonly cleanedOffset?: number
}

export interface AppendOptions {
  readonly leaderEpoch: number
  readonly origin: AppendOrigin
  /** The guard that `startVerification` gave, once the coordinator has said yes. */
  readonly verification?: number
}

/** How a transaction ends in one partition. */
export interface MarkerOptions {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly isCommit: boolean
  readonly leaderEpoch: number
  /** From 2 on the marker's epoch must be newer than that of the transaction's batches; 0 if absent. */
  readonly transactionVersion?: number
  /** Milliseconds; now if absent. */
  readonly timestamp?: number
}

/** What DescribeProducers says of a producer. */
export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 if none. */
  readonly lastSequence: number
  readonly lastTimestamp: number
  /** -1 if none. */
  readonly coordinatorEpoch: number
  /** -1 if none is open. */
  readonly currentTxnStartOffset: number
}

export interface AppendResult {
  readonly firstOffset: number
  readonly lastOffset: number
  /** Safe to acknowledge once `flushedOffset` has reached it. */
  readonly nextOffset: number
  /** Milliseconds; -1 if records keep the producer's time. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** The records were in the log already: the offsets are those of the first time. */
  readonly isDuplicate: boolean
}

export interface ReadResult {
  /** Whole batches, the first of which holds the start offset. Read only: the bytes may be the log's own. */
  readonly records: Buffer
  readonly sizeBytes: number
}

export interface FoundOffset extends TimestampOffset {
  /** -1 if unknown. */
  readonly leaderEpoch: number
}

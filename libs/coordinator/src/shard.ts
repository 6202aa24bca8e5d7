import { type Clock, errorMessage } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode, type ProtocolError, protocolError } from '@millrace/wire'
import { AnswerLimit } from './answer-limit'
import { coordinatorErrorOf } from './append-error'
import type { GroupOptions } from './config'
import type { GroupCounters, LoadState } from './coordinator-metrics'
import { type CoordinatorLog, OFFSETS_TOPIC, type TransactionMarker } from './coordinator-log'
import { ClassicGroup } from './group/classic/classic-group'
import type { GroupState, GroupWrite } from './group/classic/commands'
import type { ConsumerGroup } from './group/consumer/consumer-group'
import type { GroupDraft } from './group/consumer/group-draft'
import { expiredOffsets } from './group/expiry'
import type { Group } from './group/group'
import { GroupOffsets } from './group/offsets'
import type { GroupEntry } from './group-entry'
import { GroupTable } from './group-table'
import { RecordWriter, type TransactionalProducer } from './record-writer'
import { encodeRecord, type GroupRecord } from './records/codec'
import type { OffsetCommitValue } from './records/offset-commit'
import { replay } from './replay'

const NO_OFFSETS = new GroupOffsets()

/** What a command makes of a group, if anything, and what it answers once that is durable. */
export interface Change<T> {
  readonly draft: GroupDraft | null
  readonly answer: T
}

/** What a shard asks for groups of the consumer protocol. */
export interface ConsumerGroupKeeper {
  /** Starts the time in which the members of a group that was read from the log must come back. */
  onLoaded(group: ConsumerGroup): void
  /** A deadline of the group may have passed. */
  onDeadline(group: ConsumerGroup): GroupDraft | null
}

/**
 * The groups of one partition of the offsets topic. Memory is what the log says (GROUP-4): changes are applied when they
 * are durable, and `load` builds the same state from the log again. A disk may take longer than requests wait: those are told
 * COORDINATOR_NOT_AVAILABLE. What is on its way to the log by then happens all the same; of commands that have not begun, only
 * what members tell of themselves.
 */
export class Shard {
  readonly partition: number
  readonly #log: CoordinatorLog
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #keeper: ConsumerGroupKeeper
  readonly #options: GroupOptions
  readonly #writer: RecordWriter
  readonly #table: GroupTable
  readonly #answers: AnswerLimit
  readonly #counters: GroupCounters
  /** Null until the partition is loaded. */
  #loadTookMs: number | null = null
  /** Set when the partition was given up or could not be read: what requests are told from then on. */
  #closedWith: number | null = null

  constructor(
    deps: {
      log: CoordinatorLog
      clock: Clock
      logger: Logger
      keeper: ConsumerGroupKeeper
      counters: GroupCounters
    },
    options: GroupOptions,
    partition: number,
  ) {
    this.partition = partition
    this.#log = deps.log
    this.#clock = deps.clock
    this.#logger = deps.logger.child({ topic: OFFSETS_TOPIC, partition })
    this.#keeper = deps.keeper
    this.#counters = deps.counters
    this.#options = options
    this.#writer = new RecordWriter(deps, { topic: OFFSETS_TOPIC, partition })
    this.#answers = new AnswerLimit(deps.clock, options.offsetsCommitTimeoutMs)
    this.#table = new GroupTable(deps.clock, options, {
      onAlarm: (entry) => this.#onAlarm(entry),
      onIdle: (entry) => this.#settle(entry),
    })
  }

  /** What requests are told instead of an answer; NONE when the shard serves. */
  get error(): number {
    if (this.#closedWith !== null) return this.#closedWith
    return this.#loadTookMs === null ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NONE
  }

  /** For the metrics. One that was closed by whoever leads it now is not among those that are asked. */
  get loadState(): LoadState {
    if (this.#closedWith !== null) return { state: 'failed', loadTookMs: null }
    const loadTookMs = this.#loadTookMs
    return { state: loadTookMs === null ? 'loading' : 'active', loadTookMs }
  }

  get offsetCount(): number {
    let count = 0
    for (const { offsets } of this.#table.all()) count += offsets.count
    return count
  }

  /** Replays the partition. Never rejects: a partition that cannot be read answers NOT_COORDINATOR. */
  async load(): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    try {
      const recordCount = await replay(this.#log, this.partition, {
        isClosed: () => this.#closedWith !== null,
        onRecord: (record, producerId) => this.#table.apply(record, producerId),
        onMarker: (marker) => this.#table.applyMarker(marker),
      })
      if (this.#closedWith !== null) return // resigned meanwhile
      this.#loadTookMs = this.#clock.monotonicMs() - startedMs
      // Most of the partitions are empty; a line for each would hide the rest.
      const level = recordCount > 0 ? 'info' : 'debug'
      this.#logger[level]('loaded groups', { groups: this.#table.size, records: recordCount })
    } catch (error) {
      this.#logger.error('could not load the groups of a partition', {
        reason: errorMessage(error),
      })
      this.close(ErrorCode.NOT_COORDINATOR)
      return
    }
    for (const entry of this.#table.all()) this.#startSessions(entry)
  }

  /** Answers everything that is parked and refuses what comes. */
  close(error: number): void {
    if (this.#closedWith !== null) return
    this.#closedWith = error
    this.#writer.close(error)
    for (const { alarm, group } of this.#table.all()) {
      alarm.cancel()
      if (group.type === 'classic') group.die(error)
    }
    this.#table.clear()
  }

  groupIds(): IterableIterator<string> {
    return this.#table.ids()
  }

  group(groupId: string): Group | null {
    return this.#table.get(groupId)?.group ?? null
  }

  offsets(groupId: string): GroupOffsets {
    return this.#table.get(groupId)?.offsets ?? NO_OFFSETS
  }

  /** Whether changes are on their way that may move the group to another protocol. */
  isMoving(groupId: string): boolean {
    return this.#table.get(groupId)?.queue.isIdle === false
  }

  /** Resolves when the group is not moving. @throws ProtocolError if that takes too long, or the shard was given up */
  whenSettled(groupId: string): Promise<void> {
    return this.#answers.within(this.#settled(groupId))
  }

  /**
   * Runs a command on a classic group, and starts what it wants written. The promise resolves when that is durable.
   * @returns null if the group does not exist.
   */
  run(
    groupId: string,
    command: (group: ClassicGroup) => GroupWrite | null,
    options: { isCreator?: boolean } = {},
  ): Promise<void> | null {
    const entry = options.isCreator ? this.#table.getOrAdd(groupId) : this.#table.get(groupId)
    if (entry?.group.type !== 'classic') return null
    const write = command(entry.group)
    const stored = this.#goOn(entry, write)
    return write ? this.#answers.within(stored) : stored
  }

  /**
   * Runs a command that changes a group of the consumer protocol, or makes one of it, when those before it are durable.
   * Resolves with its answer once that is durable itself. A command whose turn comes after its answer was given up does not
   * begin, unless it `countsLate`. @throws ProtocolError, what the command throws included
   */
  change<T>(
    groupId: string,
    command: (group: Group) => Change<T>,
    { countsLate = false } = {},
  ): Promise<T> {
    const entry = this.#table.getOrAdd(groupId)
    const cameMs = this.#clock.monotonicMs()
    const begin = (group: Group): Change<T> => {
      const isGivenUp = !countsLate && this.#answers.isLate(cameMs)
      if (isGivenUp) throw protocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
      return command(group)
    }
    return this.#answers.within(entry.queue.run(() => this.#change(entry, begin)))
  }

  /** A deadline of the group may have come nearer without a command that this shard ran. */
  onDeadlineMoved(groupId: string): void {
    const entry = this.#table.get(groupId)
    if (entry) this.#armAlarm(entry)
  }

  /** Stores offsets; they are visible when the promise resolves. @throws ProtocolError */
  commit(
    groupId: string,
    offsets: readonly { topic: string; partition: number; value: OffsetCommitValue }[],
  ): Promise<void> {
    this.#counters.offsetCommits += offsets.length
    return this.#write(offsets.map((offset) => offsetRecord(groupId, offset)))
  }

  /** Stores offsets that count when the producer's transaction commits. @throws ProtocolError */
  commitInTransaction(
    groupId: string,
    producer: TransactionalProducer,
    offsets: readonly { topic: string; partition: number; value: OffsetCommitValue }[],
  ): Promise<void> {
    this.#counters.offsetCommits += offsets.length
    const records = offsets.map((offset) => encodeRecord(offsetRecord(groupId, offset)))
    const written = this.#writer.writeTransactional(producer, records, () => {
      for (const { topic, partition, value } of offsets) {
        this.#table.applyPending(producer.producerId, { group: groupId, topic, partition }, value)
      }
    })
    return this.#answers.within(written)
  }

  /**
   * Ends a producer's transaction: its offsets count when the promise resolves, or never will. However long that takes: who was
   * told otherwise would send the marker again. @throws ProtocolError
   */
  endTransaction(marker: TransactionMarker): Promise<void> {
    return this.#writer.writeMarker(marker, () => this.#table.applyMarker(marker))
  }

  /** Removes offsets. @throws ProtocolError */
  deleteOffsets(
    groupId: string,
    partitions: readonly { topic: string; partition: number }[],
  ): Promise<void> {
    this.#counters.offsetDeletions += partitions.length
    return this.#write(
      partitions.map((key) => ({ type: 'offset', key: { group: groupId, ...key }, value: null })),
    )
  }

  /** Removes a classic group, and what else is given. @throws ProtocolError */
  deleteClassicGroup(groupId: string, others: readonly GroupRecord[]): Promise<void> {
    return this.#write([...others, { type: 'group', groupId, value: null }])
  }

  /** Drops the offsets whose time is over. Resolves with the groups that have neither members nor offsets then. @throws ProtocolError */
  async expireOffsets(): Promise<string[]> {
    const retentionMs = this.#options.offsetsRetentionMinutes * 60_000
    const now = this.#clock.now()
    const records: GroupRecord[] = []
    for (const { groupId, group, offsets } of this.#table.all()) {
      for (const key of expiredOffsets(group, offsets, { now, retentionMs })) {
        records.push({ type: 'offset', key: { group: groupId, ...key }, value: null })
      }
    }
    if (records.length > 0) await this.#write(records)
    this.#counters.offsetExpirations += records.length
    return [...this.#table.all()]
      .filter(({ isVacant, isStored, offsets }) => isVacant && isStored && offsets.isEmpty)
      .map(({ groupId }) => groupId)
  }

  async #settled(groupId: string): Promise<void> {
    const busy = () => this.#table.get(groupId)?.queue.whenIdle()
    for (let ended = busy(); ended; ended = busy()) await ended
    if (this.#closedWith !== null) throw protocolError(this.#closedWith)
  }

  #startSessions(entry: GroupEntry): void {
    const { group } = entry
    if (group.type === 'consumer') {
      this.#keeper.onLoaded(group)
      this.#armAlarm(entry)
    } else {
      group.restartSessions() // loading may have taken longer than a session
      this.#goOn(entry, group.onLoaded()).catch(ignore)
    }
  }

  #write(records: readonly GroupRecord[]): Promise<void> {
    const written = this.#writer.write(records.map(encodeRecord), () => {
      for (const record of records) this.#applyDurable(record)
    })
    return this.#answers.within(written)
  }

  /** A record that this shard wrote: live groups already are what their record says. */
  #applyDurable(record: GroupRecord): void {
    const entry = record.type === 'group' ? this.#table.get(record.groupId) : undefined
    if (!entry) return this.#table.apply(record, -1)
    entry.isStored = record.value !== null
    // Members may have come while a tombstone was on its way: then their next record brings the group back.
    this.#table.maybeForget(entry)
  }

  async #change<T>(entry: GroupEntry, command: (group: Group) => Change<T>): Promise<T> {
    while (entry.classicWrites.size > 0) await Promise.allSettled(entry.classicWrites)
    if (this.#closedWith !== null) throw protocolError(this.#closedWith)
    const { draft, answer } = command(entry.group)
    if (!draft || draft.records.length === 0) {
      draft?.onDurable()
      return answer
    }
    try {
      const records = draft.records.map(encodeRecord)
      await this.#writer.write(records, () => this.#applyDraft(entry, draft))
      return answer
    } catch (error) {
      const { groupId } = entry
      this.#logger.warn('could not store a group', { group: groupId, reason: errorMessage(error) })
      throw protocolError(coordinatorErrorOf(error))
    }
  }

  #applyDraft(entry: GroupEntry, draft: GroupDraft): void {
    for (const record of draft.records) {
      if (record.type === 'offset') this.#table.applyOffset(record)
    }
    const { group } = entry
    const epochBefore = group.type === 'consumer' ? group.epoch : 0
    if (draft.group.epoch > epochBefore) this.#counters.consumerRebalances += 1
    // Whoever waits for the next generation of the group that was there joins the one that is there now.
    if (entry.group.type === 'classic') entry.group.die(ErrorCode.REBALANCE_IN_PROGRESS)
    const { groupId, classicValue } = draft
    if (classicValue) {
      const group = ClassicGroup.restore(groupId, classicValue, this.#clock, this.#options)
      entry.group = group
      entry.isStored = true
      this.#goOn(entry, group.startRebalance()).catch(ignore)
    } else this.#table.put(entry, draft.group)
    draft.onDurable()
  }

  #settle(entry: GroupEntry): void {
    this.#armAlarm(entry)
    this.#table.maybeForget(entry)
  }

  /** Stores what a classic group wants stored, tells it the result, and sets its alarm. */
  #goOn(entry: GroupEntry, write: GroupWrite | null): Promise<void> {
    if (write) entry.isStored = true // also if it fails: a tombstone too many is harmless
    this.#settle(entry)
    if (!write) return DONE
    const stored = this.#store(entry, write)
    const { classicWrites } = entry
    const settled: Promise<unknown> = stored.catch(ignore).then(() => classicWrites.delete(settled))
    classicWrites.add(settled)
    return stored
  }

  /** Rejects with what the requests are told; by then the group knows. */
  async #store(entry: GroupEntry, write: GroupWrite): Promise<void> {
    const { groupId, group } = entry
    if (group.type !== 'classic') return
    const record: GroupRecord = { type: 'group', groupId, value: write.value }
    let failure: ProtocolError | null = null
    try {
      const written = this.#writer.write([encodeRecord(record)], () => {
        this.#applyDurable(record)
        const before: GroupState = group.state
        void this.#goOn(entry, group.onWritten(write, ErrorCode.NONE))
        const isCompleted = before === 'CompletingRebalance' && group.state === 'Stable'
        if (isCompleted) this.#counters.completedRebalances += 1
      })
      await this.#answers.whileLate(written, () => {
        group.onLate(write)
        this.#settle(entry)
      })
    } catch (error) {
      failure = protocolError(coordinatorErrorOf(error))
      this.#logger.warn('could not store a group', { group: groupId, reason: errorMessage(error) })
      this.#goOn(entry, group.onWritten(write, failure.errorCode)).catch(ignore)
    }
    if (failure) throw failure
  }

  #armAlarm(entry: GroupEntry): void {
    // While a change is on its way, its end sets the alarm.
    if (this.#closedWith === null && entry.queue.isIdle) entry.alarm.ringBy(entry.nextDeadlineMs())
  }

  #onAlarm(entry: GroupEntry): void {
    if (this.#closedWith !== null || !entry.queue.isIdle) return
    if (entry.group.type === 'consumer') {
      if (entry.nextDeadlineMs() <= this.#clock.monotonicMs()) this.#onConsumerDeadline(entry)
    } else {
      while (entry.nextDeadlineMs() <= this.#clock.monotonicMs()) {
        this.#goOn(entry, entry.group.onDeadline()).catch(ignore)
      }
    }
    this.#armAlarm(entry)
  }

  #onConsumerDeadline({ groupId }: GroupEntry): void {
    this.change(groupId, (group) => {
      const draft = group.type === 'consumer' ? this.#keeper.onDeadline(group) : null
      return { draft, answer: undefined }
    }).catch(ignore)
  }
}

const DONE = Promise.resolve()
/** The failure was logged, and the group knows of it: nobody waits for the write of a timer. */
const ignore = () => undefined

function offsetRecord(
  groupId: string,
  offset: { topic: string; partition: number; value: OffsetCommitValue },
): GroupRecord {
  const { topic, partition, value } = offset
  return { type: 'offset', key: { group: groupId, topic, partition }, value }
}

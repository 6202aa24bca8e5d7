import { type Clock, errorMessage, type Timer } from '@millrace/base'
import { batch, controlType, ControlType, nextBatchSize, RecordCursor } from '@millrace/record'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode, type ProtocolError, protocolError } from '@millrace/wire'
import { coordinatorErrorOf } from './append-error'
import type { GroupOptions } from './config'
import { type CoordinatorLog, OFFSETS_TOPIC, type TransactionMarker } from './coordinator-log'
import { ClassicGroup } from './group/classic/classic-group'
import type { GroupWrite } from './group/classic/commands'
import { expiredOffsets } from './group/expiry'
import { GroupOffsets } from './group/offsets'
import { OpenTransactions } from './group/open-transactions'
import { RecordWriter, type TransactionalProducer } from './record-writer'
import { decodeRecord, encodeRecord, type GroupRecord } from './records/codec'
import type { OffsetCommitKey, OffsetCommitValue } from './records/offset-commit'

const NO_OFFSETS = new GroupOffsets()

interface Entry {
  readonly groupId: string
  group: ClassicGroup
  readonly offsets: GroupOffsets
  /** Whether the log may hold a record of the group itself. */
  isStored: boolean
  timer: Timer | null
  timerAtMs: number
}

/**
 * The groups of one partition of the offsets topic. Memory is what the log says (GROUP-4): changes are applied when they
 * are durable, and `load` builds the same state from the log again.
 */
export class Shard {
  readonly partition: number
  readonly #log: CoordinatorLog
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #options: GroupOptions
  readonly #writer: RecordWriter
  readonly #entries = new Map<string, Entry>()
  readonly #openTransactions = new OpenTransactions()
  #isLoaded = false
  /** Set when the partition was given up or could not be read: what requests are told from then on. */
  #closedWith: number | null = null

  constructor(
    deps: { log: CoordinatorLog; clock: Clock; logger: Logger },
    options: GroupOptions,
    partition: number,
  ) {
    this.partition = partition
    this.#log = deps.log
    this.#clock = deps.clock
    this.#logger = deps.logger.child({ topic: OFFSETS_TOPIC, partition })
    this.#options = options
    this.#writer = new RecordWriter(deps, { topic: OFFSETS_TOPIC, partition })
  }

  /** What requests are told instead of an answer; NONE when the shard serves. */
  get error(): number {
    if (this.#closedWith !== null) return this.#closedWith
    return this.#isLoaded ? ErrorCode.NONE : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  }

  /** Replays the partition. Never rejects: a partition that cannot be read answers NOT_COORDINATOR. */
  async load(): Promise<void> {
    try {
      const recordCount = await this.#replayLog()
      if (this.#closedWith !== null) return // resigned meanwhile
      this.#isLoaded = true
      // Most of the partitions are empty; a line for each would hide the rest.
      const level = recordCount > 0 ? 'info' : 'debug'
      this.#logger[level]('loaded groups', { groups: this.#entries.size, records: recordCount })
    } catch (error) {
      this.#logger.error('could not load the groups of a partition', {
        reason: errorMessage(error),
      })
      this.close(ErrorCode.NOT_COORDINATOR)
      return
    }
    for (const entry of this.#entries.values()) {
      entry.group.restartSessions() // loading may have taken longer than a session
      this.#goOn(entry, entry.group.enforceMaxSize()).catch(ignore)
    }
  }

  /** Answers everything that is parked and refuses what comes. */
  close(error: number): void {
    if (this.#closedWith !== null) return
    this.#closedWith = error
    this.#writer.close(error)
    for (const entry of this.#entries.values()) {
      entry.timer?.cancel()
      entry.group.die(error)
    }
    this.#entries.clear()
  }

  groupIds(): IterableIterator<string> {
    return this.#entries.keys()
  }

  group(groupId: string): ClassicGroup | null {
    return this.#entries.get(groupId)?.group ?? null
  }

  offsets(groupId: string): GroupOffsets {
    return this.#entries.get(groupId)?.offsets ?? NO_OFFSETS
  }

  /**
   * Runs a command on a group, and starts what it wants written. The promise resolves when that is durable.
   * @returns null if the group does not exist.
   */
  run(
    groupId: string,
    command: (group: ClassicGroup) => GroupWrite | null,
    options: { isCreator?: boolean } = {},
  ): Promise<void> | null {
    const entry = options.isCreator ? this.#entry(groupId) : this.#entries.get(groupId)
    return entry ? this.#goOn(entry, command(entry.group)) : null
  }

  /** Stores offsets; they are visible when the promise resolves. @throws ProtocolError */
  commit(
    groupId: string,
    offsets: readonly { topic: string; partition: number; value: OffsetCommitValue }[],
  ): Promise<void> {
    return this.#write(offsets.map((offset) => offsetRecord(groupId, offset)))
  }

  /** Stores offsets that count when the producer's transaction commits. @throws ProtocolError */
  commitInTransaction(
    groupId: string,
    producer: TransactionalProducer,
    offsets: readonly { topic: string; partition: number; value: OffsetCommitValue }[],
  ): Promise<void> {
    const records = offsets.map((offset) => encodeRecord(offsetRecord(groupId, offset)))
    return this.#writer.writeTransactional(producer, records, () => {
      for (const { topic, partition, value } of offsets) {
        this.#applyPending(producer.producerId, { group: groupId, topic, partition }, value)
      }
    })
  }

  /** Ends a producer's transaction: its offsets count when the promise resolves, or never will. @throws ProtocolError */
  endTransaction(marker: TransactionMarker): Promise<void> {
    return this.#writer.writeMarker(marker, () => this.#applyEnd(marker))
  }

  /** Removes offsets. @throws ProtocolError */
  deleteOffsets(
    groupId: string,
    partitions: readonly { topic: string; partition: number }[],
  ): Promise<void> {
    return this.#write(
      partitions.map((key) => ({ type: 'offset', key: { group: groupId, ...key }, value: null })),
    )
  }

  /** Removes an empty group and its offsets. @throws ProtocolError */
  deleteGroup(groupId: string): Promise<void> {
    const offsets = this.offsets(groupId)
    const records: GroupRecord[] = []
    for (const topic of offsets.topics()) {
      for (const partition of offsets.partitionsOf(topic).keys()) {
        records.push({ type: 'offset', key: { group: groupId, topic, partition }, value: null })
      }
    }
    for (const { topic, partition } of offsets.openPartitions()) {
      // What a transaction may still commit must not bring the group back.
      if (offsets.get(topic, partition)) continue
      records.push({ type: 'offset', key: { group: groupId, topic, partition }, value: null })
    }
    return this.#write([...records, { type: 'group', groupId, value: null }])
  }

  /** Drops the offsets whose time is over, and empty groups that have none left. */
  async expire(): Promise<void> {
    const retentionMs = this.#options.offsetsRetentionMinutes * 60_000
    const now = this.#clock.now()
    const records: GroupRecord[] = []
    for (const { groupId, group, offsets, isStored } of this.#entries.values()) {
      const expired = expiredOffsets(group, offsets, { now, retentionMs })
      for (const key of expired) {
        records.push({ type: 'offset', key: { group: groupId, ...key }, value: null })
      }
      let keptCount = -expired.length
      for (const topic of offsets.topics()) keptCount += offsets.partitionsOf(topic).size
      const isWithoutOffsets = keptCount === 0 && !offsets.hasOpen
      if (group.isVacant && isWithoutOffsets && isStored) {
        records.push({ type: 'group', groupId, value: null })
      }
    }
    if (records.length > 0) await this.#write(records)
  }

  async #replayLog(): Promise<number> {
    const cursor = new RecordCursor()
    let recordCount = 0
    for (let fromOffset = 0; ; ) {
      const { records, nextOffset } = await this.#log.read(
        OFFSETS_TOPIC,
        this.partition,
        fromOffset,
      )
      if (records.length === 0 || this.#closedWith !== null) return recordCount
      for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
        cursor.open(records, at)
        recordCount += this.#replayBatch(cursor, {
          isControl: batch.isControl(records, at),
          producerId: batch.isTransactional(records, at) ? batch.producerId(records, at) : -1,
        })
      }
      fromOffset = nextOffset
    }
  }

  /** `producerId` is -1 outside of transactions. */
  #replayBatch(
    cursor: RecordCursor,
    { isControl, producerId }: { isControl: boolean; producerId: number },
  ): number {
    let recordCount = 0
    for (; cursor.next(); recordCount++) {
      if (isControl) {
        this.#applyEnd({ producerId, isCommit: controlType(cursor) === ControlType.commit })
        continue
      }
      const key = cursor.key()
      const record = key && decodeRecord({ key, value: cursor.value() })
      if (!record) continue
      if (producerId >= 0 && record.type === 'offset' && record.value) {
        this.#applyPending(producerId, record.key, record.value)
      } else this.#apply(record)
    }
    return recordCount
  }

  #write(records: readonly GroupRecord[]): Promise<void> {
    return this.#writer.write(records.map(encodeRecord), () => {
      for (const record of records) this.#applyDurable(record)
    })
  }

  /** A record that this shard wrote: live groups already are what their record says. */
  #applyDurable(record: GroupRecord): void {
    if (record.type === 'offset') return this.#applyOffset(record)
    const entry = this.#entries.get(record.groupId)
    if (!entry) return this.#apply(record)
    entry.isStored = record.value !== null
    // Members may have come while a tombstone was on its way: then their next record brings the group back.
    this.#maybeForget(entry)
  }

  /** A record that the log holds. */
  #apply(record: GroupRecord): void {
    if (record.type === 'offset') return this.#applyOffset(record)
    const { groupId, value } = record
    const entry = this.#entry(groupId)
    entry.isStored = value !== null
    entry.group = value
      ? ClassicGroup.restore(groupId, value, this.#clock, this.#options)
      : new ClassicGroup(groupId, this.#clock, this.#options)
    this.#maybeForget(entry)
  }

  #applyOffset({ key, value }: GroupRecord & { type: 'offset' }): void {
    const entry = this.#entry(key.group)
    if (value) entry.offsets.set(key.topic, key.partition, value)
    else entry.offsets.delete(key.topic, key.partition)
    this.#maybeForget(entry)
  }

  #applyPending(producerId: number, key: OffsetCommitKey, value: OffsetCommitValue): void {
    this.#entry(key.group).offsets.setPending(producerId, key.topic, key.partition, value)
    this.#openTransactions.add(producerId, key.group)
  }

  /** TXN-5: offsets of a transaction count from its commit marker on. */
  #applyEnd({ producerId, isCommit }: { producerId: number; isCommit: boolean }): void {
    for (const groupId of this.#openTransactions.take(producerId)) {
      const entry = this.#entries.get(groupId)
      entry?.offsets.endTransaction(producerId, isCommit)
      if (entry) this.#maybeForget(entry)
    }
  }

  /** Stores what a group wants stored, tells it the result, and arms its timer. */
  #goOn(entry: Entry, write: GroupWrite | null): Promise<void> {
    if (write) entry.isStored = true // also if it fails: a tombstone too many is harmless
    this.#armTimer(entry)
    this.#maybeForget(entry)
    return write ? this.#store(entry, write) : DONE
  }

  /** Rejects with what the requests are told; by then the group knows. */
  async #store(entry: Entry, write: GroupWrite): Promise<void> {
    const { groupId } = entry
    const record: GroupRecord = { type: 'group', groupId, value: write.value }
    let failure: ProtocolError | null = null
    try {
      await this.#writer.write([encodeRecord(record)], () => {
        this.#applyDurable(record)
        void this.#goOn(entry, entry.group.onWritten(write, ErrorCode.NONE))
      })
    } catch (error) {
      failure = protocolError(coordinatorErrorOf(error))
      this.#logger.warn('could not store a group', { group: groupId, reason: errorMessage(error) })
      this.#goOn(entry, entry.group.onWritten(write, failure.errorCode)).catch(ignore)
    }
    if (failure) throw failure
  }

  #entry(groupId: string): Entry {
    let entry = this.#entries.get(groupId)
    if (!entry) {
      const group = new ClassicGroup(groupId, this.#clock, this.#options)
      const offsets = new GroupOffsets()
      entry = { groupId, group, offsets, isStored: false, timer: null, timerAtMs: Infinity }
      this.#entries.set(groupId, entry)
    }
    return entry
  }

  /** A group that neither the log nor anybody else knows of takes no memory. */
  #maybeForget(entry: Entry): void {
    if (entry.isStored || !entry.group.isVacant || !entry.offsets.isEmpty) return
    if (this.#entries.get(entry.groupId) !== entry) return
    entry.timer?.cancel()
    this.#entries.delete(entry.groupId)
  }

  /** A timer that is too early only looks again: so heartbeats, which move deadlines away, cost no timer. */
  #armTimer(entry: Entry): void {
    const dueMs = entry.group.nextDeadlineMs()
    if (this.#closedWith !== null || dueMs >= entry.timerAtMs) return
    entry.timer?.cancel()
    entry.timerAtMs = dueMs
    entry.timer = this.#clock.schedule(Math.max(0, dueMs - this.#clock.monotonicMs()), () => {
      entry.timer = null
      entry.timerAtMs = Infinity
      if (this.#closedWith === null) this.#onTimer(entry)
    })
  }

  #onTimer(entry: Entry): void {
    while (entry.group.nextDeadlineMs() <= this.#clock.monotonicMs()) {
      this.#goOn(entry, entry.group.onDeadline()).catch(ignore)
    }
    this.#armTimer(entry)
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

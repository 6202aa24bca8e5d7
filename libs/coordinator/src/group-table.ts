import type { Clock } from '@millrace/base'
import type { GroupOptions } from './config'
import { ClassicGroup } from './group/classic/classic-group'
import { ConsumerGroup } from './group/consumer/consumer-group'
import { OpenTransactions } from './group/open-transactions'
import { GroupEntry, type GroupEntryEvents } from './group-entry'
import type { GroupRecord } from './records/codec'
import type { ConsumerGroupRecord } from './records/consumer-group-codec'
import type { OffsetCommitKey, OffsetCommitValue } from './records/offset-commit'

/** The groups of a partition as its log has them: made by its records, one after the other (GROUP-4). */
export class GroupTable {
  readonly #clock: Clock
  readonly #options: GroupOptions
  readonly #events: GroupEntryEvents
  readonly #entries = new Map<string, GroupEntry>()
  readonly #openTransactions = new OpenTransactions()

  constructor(clock: Clock, options: GroupOptions, events: GroupEntryEvents) {
    this.#clock = clock
    this.#options = options
    this.#events = events
  }

  get size(): number {
    return this.#entries.size
  }

  ids(): IterableIterator<string> {
    return this.#entries.keys()
  }

  all(): IterableIterator<GroupEntry> {
    return this.#entries.values()
  }

  get(groupId: string): GroupEntry | undefined {
    return this.#entries.get(groupId)
  }

  /** One that is not there yet is made: a classic group without members. */
  getOrAdd(groupId: string): GroupEntry {
    let entry = this.#entries.get(groupId)
    if (!entry) {
      entry = new GroupEntry(this.#newGroup(groupId), this.#clock, this.#events)
      this.#entries.set(groupId, entry)
    }
    return entry
  }

  /** A group that neither the log nor anybody else knows of takes no memory. */
  maybeForget(entry: GroupEntry): void {
    if (!entry.isForgettable || this.#entries.get(entry.groupId) !== entry) return
    entry.alarm.cancel()
    this.#entries.delete(entry.groupId)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Takes in a record of the log. `producerId` is that of its transaction, -1 outside of transactions. */
  apply(record: GroupRecord, producerId: number): void {
    if (record.type === 'offset' && record.value && producerId >= 0) {
      this.applyPending(producerId, record.key, record.value)
    } else if (record.type === 'offset') this.applyOffset(record)
    else if (record.type === 'group') this.#applyClassic(record)
    else this.#applyConsumer(record)
  }

  applyOffset({ key, value }: GroupRecord & { type: 'offset' }): void {
    const entry = this.getOrAdd(key.group)
    if (value) entry.offsets.set(key.topic, key.partition, value)
    else entry.offsets.delete(key.topic, key.partition)
    this.maybeForget(entry)
  }

  applyPending(producerId: number, key: OffsetCommitKey, value: OffsetCommitValue): void {
    this.getOrAdd(key.group).offsets.setPending(producerId, key.topic, key.partition, value)
    this.#openTransactions.add(producerId, key.group)
  }

  /** TXN-5: offsets of a transaction count from its commit marker on. */
  applyMarker({ producerId, isCommit }: { producerId: number; isCommit: boolean }): void {
    for (const groupId of this.#openTransactions.take(producerId)) {
      const entry = this.#entries.get(groupId)
      entry?.offsets.endTransaction(producerId, isCommit)
      if (entry) this.maybeForget(entry)
    }
  }

  /** Puts a group in its place. One of which the log has nothing left is a classic one without members. */
  put(entry: GroupEntry, group: ConsumerGroup): void {
    entry.isStored = group.isStored
    entry.group = group.isStored ? group : this.#newGroup(entry.groupId)
  }

  /** A record that removes a group of the other protocol than the present one is about what was before it. */
  #applyClassic({ groupId, value }: GroupRecord & { type: 'group' }): void {
    const entry = this.getOrAdd(groupId)
    if (value === null && entry.group.type === 'consumer') return
    entry.isStored = value !== null
    entry.group = value
      ? ClassicGroup.restore(groupId, value, this.#clock, this.#options)
      : this.#newGroup(groupId)
    this.maybeForget(entry)
  }

  #applyConsumer(record: ConsumerGroupRecord): void {
    const entry = this.getOrAdd(record.groupId)
    if (entry.group.type === 'classic' && record.value) {
      entry.group = new ConsumerGroup(record.groupId)
    }
    if (entry.group.type === 'consumer') {
      entry.group.apply(record)
      this.put(entry, entry.group)
    }
    this.maybeForget(entry)
  }

  #newGroup(groupId: string): ClassicGroup {
    return new ClassicGroup(groupId, this.#clock, this.#options)
  }
}

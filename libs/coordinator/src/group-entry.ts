import type { Clock } from '@millrace/base'
import { Alarm } from './alarm'
import type { Group } from './group/group'
import { GroupOffsets } from './group/offsets'
import { SerialQueue } from './serial-queue'

/** What an entry tells its owner. */
export interface GroupEntryEvents {
  /** A deadline may have passed. */
  onAlarm(entry: GroupEntry): void
  /** The last of the changes in the queue ended. */
  onIdle(entry: GroupEntry): void
}

/** What a shard keeps for one group id. */
export class GroupEntry {
  readonly groupId: string
  readonly offsets = new GroupOffsets()
  /** Changes of a group of the consumer protocol, and of its protocol, one after the other. */
  readonly queue: SerialQueue
  /** Records of a classic group on their way to the log: it does not become another group meanwhile. */
  readonly classicWrites = new Set<Promise<unknown>>()
  readonly alarm: Alarm
  group: Group
  /** Whether the log may hold a record of the group itself. */
  isStored = false

  constructor(group: Group, clock: Clock, events: GroupEntryEvents) {
    this.groupId = group.groupId
    this.group = group
    this.queue = new SerialQueue(() => events.onIdle(this))
    this.alarm = new Alarm(clock, () => events.onAlarm(this))
  }

  /** Nobody is in it, or was told to come. */
  get isVacant(): boolean {
    return this.group.type === 'consumer' ? this.group.isEmpty : this.group.isVacant
  }

  get isForgettable(): boolean {
    return this.isVacant && !this.isStored && this.offsets.isEmpty && this.queue.isIdle
  }

  /** Monotonic time at which the group must be looked after. */
  nextDeadlineMs(): number {
    const { group } = this
    return group.type === 'consumer' ? group.timers.nextDueMs() : group.nextDeadlineMs()
  }
}

import type { GroupRecord } from '../../records/codec'
import type { ConsumerGroupRecord } from '../../records/consumer-group-codec'
import type { GroupMetadataValue } from '../../records/group-metadata'
import { ConsumerGroup } from './consumer-group'

/**
 * What a command makes of a group: the records it wants written, and the group as it is with them. The group itself stays as
 * it is until they are durable, so a write that fails leaves no trace (GROUP-1).
 */
export class GroupDraft {
  readonly records: GroupRecord[] = []
  readonly #actions: ((group: ConsumerGroup) => void)[] = []
  #group: ConsumerGroup
  #isCopy = false
  #classicValue: GroupMetadataValue | null = null

  /** `records` go before the group's own: what makes place for it. */
  constructor(group: ConsumerGroup, records: readonly GroupRecord[] = []) {
    this.#group = group
    this.records.push(...records)
  }

  /** With all that was written so far. */
  get group(): ConsumerGroup {
    return this.#group
  }

  get groupId(): string {
    return this.#group.groupId
  }

  /** Set if the group becomes one of the classic protocol. */
  get classicValue(): GroupMetadataValue | null {
    return this.#classicValue
  }

  write(record: ConsumerGroupRecord): void {
    if (!this.#isCopy) {
      this.#group = new ConsumerGroup(this.groupId, this.#group)
      this.#isCopy = true
    }
    this.records.push(record)
    this.#group.apply(record)
  }

  /** Makes it a group of the classic protocol, which rebalances. All of its own records must have been removed. */
  writeClassic(value: GroupMetadataValue): void {
    this.#classicValue = value
    this.records.push({ type: 'group', groupId: this.groupId, value })
  }

  /**
   * Runs when the records are durable; at once if there are none. Times count from there: a member cannot act on what it is not
   * told, and the disk may take longer than any of its timeouts.
   */
  whenDurable(action: (group: ConsumerGroup) => void): void {
    this.#actions.push(action)
  }

  /** Called by the owner, once. */
  onDurable(): void {
    for (const action of this.#actions) action(this.#group)
  }
}

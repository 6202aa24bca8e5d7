import { invariant } from '@millrace/base'
import type { SourcePosition, SourceRecord } from '@millrace/connect-api'

export interface PartitionOffset {
  readonly partition: SourcePosition
  readonly offset: SourcePosition
}

/** The records of one poll on their way into the log. */
export interface Submission {
  readonly positions: readonly PartitionOffset[]
  isAcknowledged: boolean
}

/**
 * Remembers which polls are on their way and tells the offsets that may be stored: those of the longest run of
 * acknowledged polls since the last call, never one behind a poll that is still open (CONNECT-1). A poll that was
 * filtered away entirely is acknowledged at once and still waits for those before it.
 */
export class OffsetTracker {
  readonly #open: Submission[] = []
  #acknowledged = new Map<string, PartitionOffset>()

  /** Polls that are not part of the acknowledged run yet; the caller bounds it. */
  get openCount(): number {
    return this.#open.length
  }

  /** Registers the records of one poll, in poll order. */
  submit(records: readonly SourceRecord[]): Submission {
    const submission: Submission = { positions: lastPositions(records), isAcknowledged: false }
    this.#open.push(submission)
    return submission
  }

  /** The log has all records of this poll. */
  acknowledge(submission: Submission): void {
    invariant(!submission.isAcknowledged, 'a poll is acknowledged once')
    submission.isAcknowledged = true
    let count = 0
    while (count < this.#open.length && this.#open[count].isAcknowledged) {
      for (const position of this.#open[count].positions) {
        this.#acknowledged.set(positionKey(position.partition), position)
      }
      count += 1
    }
    this.#open.splice(0, count)
  }

  /** The newest storable offset of each source partition that moved since the last call; empty if none did. */
  takeAcknowledged(): readonly PartitionOffset[] {
    if (this.#acknowledged.size === 0) return []
    const taken = [...this.#acknowledged.values()]
    this.#acknowledged = new Map()
    return taken
  }

  /** Gives back what could not be stored, unless a newer offset of the partition was acknowledged meanwhile. */
  giveBack(positions: readonly PartitionOffset[]): void {
    for (const position of positions) {
      const key = positionKey(position.partition)
      if (!this.#acknowledged.has(key)) this.#acknowledged.set(key, position)
    }
  }
}

/** A source partition as a map key, whatever the order of its properties. */
export function positionKey(position: SourcePosition): string {
  const names = Object.keys(position)
  if (names.length > 1) names.sort()
  let key = ''
  for (const name of names) {
    const value = position[name]
    const text = Buffer.isBuffer(value) ? value.toString('base64') : String(value)
    // JSON marks where a name or text ends; the type keeps 1 and '1' apart. A safe bigint is the number it came from.
    const type = typeof value === 'bigint' ? 'number' : value === null ? 'null' : typeof value
    key += `${JSON.stringify(name)}:${type === 'object' ? 'string' : type}:${JSON.stringify(text)},`
  }
  return key
}

/** The last offset of each partition. Sources share one partition object among records, so identity settles most of it. */
function lastPositions(records: readonly SourceRecord[]): readonly PartitionOffset[] {
  const byIdentity = new Map<SourcePosition, SourcePosition>()
  let partition: SourcePosition | null = null
  let offset: SourcePosition | null = null
  for (const record of records) {
    if (record.sourcePartition !== partition) {
      if (partition !== null) replace(byIdentity, partition, offset!)
      partition = record.sourcePartition
    }
    offset = record.sourceOffset
  }
  if (partition !== null) replace(byIdentity, partition, offset!)
  return [...byIdentity].map(([key, value]) => ({ partition: key, offset: value }))
}

/** Moves the partition to the back, so that of two equal partition objects the later one wins. */
function replace(
  positions: Map<SourcePosition, SourcePosition>,
  partition: SourcePosition,
  offset: SourcePosition,
): void {
  positions.delete(partition)
  positions.set(partition, offset)
}

import * as assert from 'node:assert/strict'
import { batch, RecordCursor } from '@millrace/record'
import type { Log } from '../log'
import { NO_LIMIT } from './log-fixture'
import type { KeyedRecord } from './compaction-fixture'

const SMALL_READ_BYTES = 150

/** What was appended at one offset, whatever became of it. */
export interface ModelRecord extends KeyedRecord {
  /** The transaction it belongs to, -1 if none. */
  readonly transaction: number
}

/** What readers may see of a log, beside the log. */
export class CompactionModel {
  /** By offset; undefined where a marker is. */
  readonly records: (ModelRecord | undefined)[] = []
  readonly #outcomes = new Map<number, 'commit' | 'abort'>()
  #transactions = 0
  /** Nothing at or above was ever compacted. */
  compactedTo = 0

  append(firstOffset: number, records: readonly KeyedRecord[], transaction = -1): void {
    records.forEach((record, index) => {
      this.records[firstOffset + index] = { ...record, offset: firstOffset + index, transaction }
    })
  }

  begin(): number {
    return this.#transactions++
  }

  end(transaction: number, isCommit: boolean): void {
    this.#outcomes.set(transaction, isCommit ? 'commit' : 'abort')
  }

  /** The log lost everything from `offset` on, and with it how transactions ended whose markers were there. */
  truncate(offset: number, reopened: readonly number[]): void {
    this.records.length = Math.min(this.records.length, offset)
    for (const transaction of reopened) this.#outcomes.delete(transaction)
    this.compactedTo = Math.min(this.compactedTo, offset)
  }

  isAborted({ transaction }: ModelRecord): boolean {
    return this.#outcomes.get(transaction) === 'abort'
  }

  /** Asserts that what a reader of committed records sees is what was written, and lacks only what compaction may take. */
  check(log: Log): void {
    const seen = readCommitted(log)
    // Small portions go by the indexes.
    assert.deepEqual(readCommitted(log, SMALL_READ_BYTES), seen)
    const endOffset = log.lastStableOffset
    let previous = log.logStartOffset - 1
    for (const { offset, key, value } of seen) {
      const written = this.records[offset]
      assert.ok(offset > previous, `offset ${offset} follows ${previous}`)
      assert.ok(written !== undefined, `nothing was written at ${offset}`)
      assert.deepEqual({ key, value }, { key: written.key, value: written.value })
      assert.ok(!this.isAborted(written), `an aborted record is visible at ${offset}`)
      previous = offset
    }
    const offsets = new Set(seen.map(({ offset }) => offset))
    const newest = this.#newestByKey(log.logStartOffset, endOffset)
    const missingTombstones = new Map<string | null, number>()
    for (let offset = endOffset - 1; offset >= log.logStartOffset; offset--) {
      const written = this.records[offset]
      if (written === undefined || this.isAborted(written)) continue
      if (!offsets.has(offset)) this.#checkMissing(written, newest, missingTombstones)
      else if (written.value !== null) {
        const tombstone = missingTombstones.get(written.key)
        assert.ok(tombstone === undefined, `${offset} is back, deleted by ${tombstone}`)
      }
    }
  }

  #checkMissing(
    { offset, key, value }: ModelRecord,
    newest: Map<string | null, number>,
    missingTombstones: Map<string | null, number>,
  ): void {
    assert.ok(offset < this.compactedTo, `the record at ${offset} is lost`)
    if (value === null) missingTombstones.set(key, offset)
    else assert.ok(newest.get(key)! > offset, `the newest value of ${key}, at ${offset}, is lost`)
  }

  #newestByKey(fromOffset: number, endOffset: number): Map<string | null, number> {
    const newest = new Map<string | null, number>()
    for (let offset = fromOffset; offset < endOffset; offset++) {
      const record = this.records[offset]
      if (record !== undefined && !this.isAborted(record)) newest.set(record.key, offset)
    }
    return newest
  }
}

/** What a consumer with `isolation.level=read_committed` gets: it leaves out what the index calls aborted. */
export function readCommitted(log: Log, maxBytes = 1 << 20): KeyedRecord[] {
  const found: KeyedRecord[] = []
  const cursor = new RecordCursor()
  const endOffset = log.lastStableOffset
  for (let offset = log.logStartOffset; offset < endOffset; ) {
    const limits = { ...NO_LIMIT, maxBytes, maxOffsetExclusive: endOffset }
    const { records } = log.read(offset, limits)
    if (records.length === 0) break
    const fetchStart = offset
    offset = endOf(records)
    const reader = new AbortedFilter(log, fetchStart, offset)
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      if (!reader.isVisible(records, at, cursor)) continue
      for (cursor.open(records, at); cursor.next(); ) {
        if (cursor.offset >= fetchStart) found.push(recordAt(cursor))
      }
    }
  }
  return found
}

function endOf(records: Buffer): number {
  let endOffset = 0
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
    endOffset = batch.nextOffset(records, at)
  }
  return endOffset
}

/** As a client does it: an aborted transaction of a producer begins at its first offset and ends with its marker. */
class AbortedFilter {
  readonly #waiting: { producerId: number; firstOffset: number }[]
  readonly #ongoing = new Set<number>()

  constructor(log: Log, fromOffset: number, toOffset: number) {
    this.#waiting = log.abortedTransactions(fromOffset, toOffset).map((each) => ({ ...each }))
    this.#waiting.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  isVisible(records: Buffer, at: number, cursor: RecordCursor): boolean {
    const producerId = batch.producerId(records, at)
    while (
      this.#waiting.length > 0 &&
      this.#waiting[0].firstOffset <= batch.lastOffset(records, at)
    ) {
      this.#ongoing.add(this.#waiting.shift()!.producerId)
    }
    if (batch.isControl(records, at)) {
      cursor.open(records, at)
      if (cursor.next() && cursor.key()!.readInt16BE(2) === 0) this.#ongoing.delete(producerId)
      return false
    }
    return !(batch.isTransactional(records, at) && this.#ongoing.has(producerId))
  }
}

function recordAt(cursor: RecordCursor): KeyedRecord {
  const key = cursor.key()
  const value = cursor.value()
  return {
    offset: cursor.offset,
    key: key === null ? null : String(key),
    value: value === null ? null : String(value),
  }
}

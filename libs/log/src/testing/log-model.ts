import * as assert from 'node:assert/strict'
import { errorCode } from '@millrace/base'
import { Codec } from '@millrace/record'
import { SimClock, SimRandom } from '@millrace/testing'
import type { LogConfig } from '../config'
import type { Log } from '../log'
import { keyedBatch, type KeyedRecord } from './compaction-fixture'
import { CompactionModel } from './compaction-model'
import { FullDisk, untilDone } from './full-disk'
import { CLIENT, openLog, tick, type Harness } from './log-fixture'
import { DIRECTORIES, ModelMoves } from './model-moves'

const KEYS = 8
const MAX_RECORDS = 4
const TRANSACTIONAL = 100
const CONFIG: Partial<LogConfig> = {
  cleanupPolicy: ['compact'],
  segmentBytes: 1500,
  indexIntervalBytes: 200,
  segmentIndexBytes: 4096,
  minCleanableDirtyRatio: 0.1,
  deleteRetentionMs: 500,
  fileDeleteDelayMs: 300,
  retentionMs: -1,
}

/** A producer as it knows itself; ids from TRANSACTIONAL on write in transactions only. */
interface ModelProducer {
  readonly id: number
  transaction: number
}

/** Where something of a producer lies in the log. */
interface Sent {
  readonly producerId: number
  readonly transaction: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly baseSequence: number
  readonly batch: Buffer | null // null: a marker
  readonly isCommit: boolean
}

/**
 * A log, several producers, and everything that may happen to them, chosen by a seed. Beside the log a list says what must
 * be in it.
 */
export class LogModel {
  readonly steps: string[] = []
  /** How often the log was compared with what it must hold. */
  checkCount = 0
  /** How often an append was refused for want of room. */
  refusedCount = 0
  readonly #random: SimRandom
  readonly #expected = new CompactionModel()
  readonly #producers: ModelProducer[] = [1, 2, TRANSACTIONAL, TRANSACTIONAL + 1].map((id) => ({
    id,
    transaction: -1,
  }))
  #harness: Harness & { log: Log }
  readonly #full: FullDisk
  readonly #moves: ModelMoves
  #sent: Sent[] = []
  #ackedOffset = 0
  /** The log start that DeleteRecords or retention confirmed. */
  #deletedOffset = 0
  #valueCount = 0
  #cleaning: Promise<unknown> = Promise.resolve()

  private constructor(harness: Harness & { log: Log }, random: SimRandom) {
    this.#harness = harness
    this.#random = random
    this.#full = new FullDisk(random)
    this.#moves = new ModelMoves(harness)
    this.#watch()
  }

  static async start(seed: number): Promise<LogModel> {
    const harness = await openLog({
      config: CONFIG,
      tailCacheBytes: 2000,
      directories: DIRECTORIES,
    })
    await harness.manager.cleaner.stop()
    return new LogModel(harness, new SimRandom(seed))
  }

  async run(steps: number): Promise<void> {
    for (let count = 0; count < steps; count++) {
      await this.#step()
      if (count % 10 === 0) this.check()
    }
    await this.#makeRoom()
    await this.#settle()
    this.check()
    await this.#crash()
  }

  /** Asserts that readers see what they must. */
  check(): void {
    const log = this.#log
    this.checkCount++
    this.#noteCompaction()
    assert.equal(log.logEndOffset, this.#expected.records.length, 'the log ends elsewhere')
    this.#expected.check(log)
    this.#moves.note(log)
  }

  get movedCount(): number {
    return this.#moves.count
  }

  get #log(): Log {
    return this.#harness.log
  }

  async #step(): Promise<void> {
    const kinds: [weight: number, name: string, run: () => unknown][] = [
      [40, 'append', () => this.#append()],
      [8, 'end', () => this.#endTransaction()],
      [10, 'tick', () => tick()],
      [8, 'settle', () => this.#settle()],
      [4, 'again', () => this.#sendAgain()],
      [6, 'clean', () => this.#startCleaning()],
      [3, 'cleaned', () => this.#cleaning],
      [5, 'advance', () => this.#harness.clock.advance(this.#random.int(600))],
      [2, 'truncate', () => this.#truncate()],
      [2, 'delete', () => this.#deleteRecords()],
      [2, 'retain', () => this.#retain()],
      [1, 'checkpoint', () => this.#outlive(this.#harness.manager.checkpoint())],
      [2, 'restart', () => this.#restart()],
      [4, 'fill', () => this.#full.fill(this.#harness)],
      [6, 'room', () => this.#makeRoom()],
      [4, 'move', () => this.#moves.begin(this.#harness, this.#full.isFull)],
      [1, 'stay', () => this.#outlive(this.#moves.stay(this.#harness))],
      [2, 'moved', () => this.#outlive(this.#moves.whenEnded(this.#harness))],
      [3, 'crash', () => this.#crash()],
      [2, 'crashSoon', () => this.#crashSoon()],
    ]
    let choice = this.#random.int(kinds.reduce((sum, [weight]) => sum + weight, 0))
    const [, name, run] = kinds.find(([weight]) => (choice -= weight) < 0)!
    this.steps.push(name)
    await run()
  }

  /** False if it was refused, as may be while the disk is full or the log changes its directory. */
  #append(): boolean {
    const producer = this.#producers[this.#random.int(this.#producers.length)]
    const isTransactional = producer.id >= TRANSACTIONAL
    const records = Array.from({ length: 1 + this.#random.int(MAX_RECORDS) }, () =>
      this.#newRecord(),
    )
    const codecs = Object.values(Codec)
    const baseSequence = this.#nextSequence(producer.id)
    const made = keyedBatch(
      records.map(({ key, value }) => [key, value] as const),
      {
        codec: this.#random.chance(70) ? Codec.none : codecs[this.#random.int(codecs.length)],
        timestamp: this.#harness.clock.now(),
        producerId: producer.id,
        producerEpoch: 0,
        baseSequence,
        isTransactional,
      },
    )
    const sent = this.#unlessRefused(() => this.#send(Buffer.from(made), producer.id, baseSequence))
    if (sent === null) return false
    const { firstOffset, lastOffset } = sent
    if (isTransactional && producer.transaction < 0) producer.transaction = this.#expected.begin()
    assert.equal(firstOffset, this.#expected.records.length)
    this.#expected.append(firstOffset, records, producer.transaction)
    const { transaction } = producer
    const fields = { firstOffset, lastOffset, baseSequence, isCommit: false }
    this.#sent.push({ producerId: producer.id, transaction, batch: made, ...fields })
    return true
  }

  #unlessRefused<Result>(append: () => Result): Result | null {
    const before = this.#log.logEndOffset
    try {
      return append()
    } catch (error) {
      const code = errorCode(error)
      const isForRoom = code === 'LOG_DISK_FULL' && this.#full.isFull
      const isForMove = code === 'LOG_CLOSED' && this.#moves.hasBegun
      if (!isForRoom && !isForMove) throw error
      assert.equal(this.#log.logEndOffset, before)
      if (isForRoom) this.refusedCount++
      return null
    }
  }

  #send(made: Buffer, producerId: number, baseSequence: number) {
    if (producerId < TRANSACTIONAL) return this.#log.append(made, CLIENT)
    const request = { producerId, producerEpoch: 0, baseSequence, supportsEpochBump: false }
    const verification = this.#log.startVerification(request) ?? undefined
    return this.#log.append(made, { ...CLIENT, verification })
  }

  #newRecord(): KeyedRecord {
    const key = `k${this.#random.int(KEYS)}`
    const size = this.#random.chance(10) ? 300 : 20
    const value = this.#random.chance(20) ? null : `${this.#valueCount++}`.padEnd(size, '.')
    return { offset: 0, key, value }
  }

  #nextSequence(producerId: number): number {
    const last = this.#lastBatchOf(producerId)
    if (last === undefined) return 0
    return last.baseSequence + last.lastOffset - last.firstOffset + 1
  }

  #lastBatchOf(producerId: number): Sent | undefined {
    return this.#sent.findLast((sent) => sent.producerId === producerId && sent.batch !== null)
  }

  #endTransaction(): void {
    const open = this.#producers.filter(({ transaction }) => transaction >= 0)
    if (open.length === 0) return
    const producer = open[this.#random.int(open.length)]
    const isCommit = this.#random.chance(60)
    const { transaction, id: producerId } = producer
    const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 0, isCommit, leaderEpoch: 0 }
    const sent = this.#unlessRefused(() => this.#log.appendMarker(marker))
    if (sent === null) return
    const { firstOffset } = sent
    this.#expected.records.length = firstOffset + 1
    this.#expected.end(transaction, isCommit)
    const at = { firstOffset, lastOffset: firstOffset, baseSequence: -1 }
    this.#sent.push({ producerId, transaction, batch: null, isCommit, ...at })
    producer.transaction = -1
  }

  /** A producer that lost the reply sends its last batch again, which must be recognised. */
  #sendAgain(): void {
    const producer = this.#producers[this.#random.int(this.#producers.length)]
    const last = this.#lastBatchOf(producer.id)
    if (!last?.batch || last.firstOffset < this.#log.logStartOffset) return
    const { batch } = last
    const again = this.#unlessRefused(() => this.#log.append(Buffer.from(batch), CLIENT))
    if (again === null) return
    assert.ok(again.isDuplicate, `the batch at ${last.firstOffset} was taken twice`)
    assert.equal(again.firstOffset, last.firstOffset)
  }

  async #settle(): Promise<void> {
    await this.#outlive(this.#log.flush())
    this.#acknowledge()
  }

  #acknowledge(): void {
    this.#ackedOffset = Math.max(this.#ackedOffset, this.#log.flushedOffset)
    this.#log.setHighWatermark(this.#log.flushedOffset)
  }

  /** Goes on beside what comes next. */
  #startCleaning(): void {
    this.#noteCompaction()
    const { manager } = this.#harness
    this.#cleaning = Promise.all([this.#cleaning, manager.cleaner.cleanAll()])
  }

  /** What was taken is written, and the log takes more. */
  async #makeRoom(): Promise<void> {
    await this.#full.makeRoom(this.#harness)
    if (this.#append()) await this.#settle()
  }

  #outlive<Result>(work: Promise<Result>): Promise<Result | undefined> {
    return this.#full.outlive(work, this.#harness)
  }

  #noteCompaction(): void {
    const log = this.#log
    const { baseOffset } = log.segments[log.segments.length - 1]
    const bound = Math.min(log.lastStableOffset, baseOffset)
    this.#expected.compactedTo = Math.max(this.#expected.compactedTo, bound)
  }

  /** As a follower does: only what was never acknowledged goes. */
  async #truncate(): Promise<void> {
    const log = this.#log
    const from = Math.max(this.#ackedOffset, log.highWatermark)
    const offset = from + this.#random.int(log.logEndOffset - from + 1)
    await this.#outlive(log.truncateTo(offset))
    // It flushes first; but what goes was not acknowledged by anybody.
    this.#ackedOffset = Math.min(this.#ackedOffset, log.logEndOffset)
    this.#cutTo(log.logEndOffset)
  }

  async #deleteRecords(): Promise<void> {
    const log = this.#log
    const span = log.highWatermark - log.logStartOffset
    const offset = log.logStartOffset + this.#random.int(Math.floor(span / 3) + 1)
    const deleted = log.deleteRecordsBefore(offset).then(() => log.logStartOffset)
    this.#deletedOffset = (await this.#outlive(deleted)) ?? this.#deletedOffset
  }

  async #retain(): Promise<void> {
    const log = this.#log
    const { config } = log
    log.updateConfig({ ...config, cleanupPolicy: ['compact', 'delete'], retentionBytes: 4000 })
    await this.#outlive(log.applyRetention())
    log.updateConfig(config)
  }

  async #restart(): Promise<void> {
    const { disk, manager } = this.#harness
    const wasFull = this.#full.isFull
    let isClosed = false
    const closing = manager.close().finally(() => (isClosed = true))
    await untilDone(() => isClosed, 'a stop waits')
    await closing
    await this.#cleaning
    await this.#full.makeRoom(this.#harness)
    const before = this.#expected.records.length
    await this.#open({ disk })
    if (!wasFull) assert.equal(this.#log.logEndOffset, before)
    this.#checkFound()
  }

  /** The power goes in the middle of whatever is done next. */
  async #crashSoon(): Promise<void> {
    const { disk } = this.#harness
    const powerOffAt = disk.operationCount + 1 + this.#random.int(60)
    disk.options = { ...disk.options, powerOffAt }
    for (let count = 0; count < 5; count++) {
      try {
        this.#append()
        if (this.#random.chance(30)) await this.#moves.begin(this.#harness, this.#full.isFull)
        else this.#startCleaning()
        await tick()
        if (!this.#full.isFull && this.#random.chance(50)) await this.#settle()
      } catch (error) {
        assert.match(errorCode(error) ?? String(error), /LOG_|EIO/)
        break
      }
    }
    await this.#crash()
  }

  async #crash(): Promise<void> {
    const { disk, clock } = this.#harness
    this.#noteCompaction()
    const crashed = disk.crash(this.#random)
    this.#full.isFull = false
    await this.#cleaning
    await this.#open({ disk: crashed, clock: new SimClock(clock.now()) })
    this.#checkFound()
  }

  /** What was acknowledged is there, and nothing that was not sent. */
  #checkFound(): void {
    const { logEndOffset, logStartOffset, failure } = this.#log
    assert.equal(failure, null)
    assert.ok(logEndOffset >= this.#ackedOffset, `acknowledged up to ${this.#ackedOffset}`)
    assert.ok(logStartOffset >= this.#deletedOffset, `deleted up to ${this.#deletedOffset}`)
    assert.ok(logEndOffset <= this.#expected.records.length, 'there is more than was sent')
    this.#cutTo(logEndOffset)
    this.#acknowledge()
    this.check()
  }

  async #open(options: Parameters<typeof openLog>[0]): Promise<void> {
    const { clock } = this.#harness
    this.#harness = await openLog({
      clock,
      config: CONFIG,
      tailCacheBytes: 2000,
      directories: DIRECTORIES,
      ...options,
    })
    await this.#harness.manager.cleaner.stop()
    this.#cleaning = Promise.resolve()
    this.#watch()
  }

  /** What lay behind `offset` is gone, and transactions that ended there are open again. */
  #cutTo(offset: number): void {
    const lost = this.#sent.filter((sent) => sent.lastOffset >= offset)
    this.#sent = this.#sent.filter((sent) => sent.lastOffset < offset)
    const reopened = lost
      .filter((sent) => sent.batch === null)
      .map(({ transaction }) => transaction)
    this.#expected.truncate(offset, reopened)
    for (const producer of this.#producers) {
      const last = this.#sent.findLast(({ producerId }) => producerId === producer.id)
      producer.transaction = last === undefined || last.batch === null ? -1 : last.transaction
    }
  }

  #watch(): void {
    const { log } = this.#harness
    log.onFlushed = () => {
      if (log === this.#harness.log && log.failure === null) {
        this.#ackedOffset = Math.max(this.#ackedOffset, log.flushedOffset)
      }
    }
  }
}

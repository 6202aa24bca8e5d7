import * as assert from 'node:assert/strict'
import { errorCode } from '@millrace/base'
import { Codec } from '@millrace/record'
import { SimClock, SimRandom } from '@millrace/testing'
import type { LogConfig } from '../config'
import type { Log } from '../log'
import { keyedBatch, type KeyedRecord } from './compaction-fixture'
import { CompactionModel } from './compaction-model'
import { CLIENT, openLog, tick, type Harness } from './log-fixture'

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
  readonly #random: SimRandom
  readonly #expected = new CompactionModel()
  readonly #producers: ModelProducer[] = [1, 2, TRANSACTIONAL, TRANSACTIONAL + 1].map((id) => ({
    id,
    transaction: -1,
  }))
  #harness: Harness & { log: Log }
  #sent: Sent[] = []
  #ackedOffset = 0
  #valueCount = 0
  #cleaning: Promise<unknown> = Promise.resolve()

  private constructor(harness: Harness & { log: Log }, random: SimRandom) {
    this.#harness = harness
    this.#random = random
    this.#watch()
  }

  static async start(seed: number): Promise<LogModel> {
    const harness = await openLog({ config: CONFIG, tailCacheBytes: 2000 })
    await harness.manager.cleaner.stop()
    return new LogModel(harness, new SimRandom(seed))
  }

  async run(steps: number): Promise<void> {
    for (let count = 0; count < steps; count++) {
      await this.#step()
      if (count % 10 === 0) this.check()
    }
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
      [1, 'checkpoint', () => this.#harness.manager.checkpoint()],
      [2, 'restart', () => this.#restart()],
      [3, 'crash', () => this.#crash()],
      [2, 'crashSoon', () => this.#crashSoon()],
    ]
    let choice = this.#random.int(kinds.reduce((sum, [weight]) => sum + weight, 0))
    const [, name, run] = kinds.find(([weight]) => (choice -= weight) < 0)!
    this.steps.push(name)
    await run()
  }

  #append(): void {
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
    if (isTransactional && producer.transaction < 0) producer.transaction = this.#expected.begin()
    const { firstOffset, lastOffset } = this.#send(Buffer.from(made), producer.id, baseSequence)
    assert.equal(firstOffset, this.#expected.records.length)
    this.#expected.append(firstOffset, records, producer.transaction)
    const { transaction } = producer
    const fields = { firstOffset, lastOffset, baseSequence, isCommit: false }
    this.#sent.push({ producerId: producer.id, transaction, batch: made, ...fields })
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
    const { firstOffset } = this.#log.appendMarker(marker)
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
    const again = this.#log.append(Buffer.from(last.batch), CLIENT)
    assert.ok(again.isDuplicate, `the batch at ${last.firstOffset} was taken twice`)
    assert.equal(again.firstOffset, last.firstOffset)
  }

  async #settle(): Promise<void> {
    await this.#log.flush()
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
    await log.truncateTo(offset)
    // It flushes first; but what goes was not acknowledged by anybody.
    this.#ackedOffset = Math.min(this.#ackedOffset, log.logEndOffset)
    this.#cutTo(log.logEndOffset)
  }

  async #deleteRecords(): Promise<void> {
    const log = this.#log
    const span = log.highWatermark - log.logStartOffset
    await log.deleteRecordsBefore(log.logStartOffset + this.#random.int(Math.floor(span / 3) + 1))
  }

  async #retain(): Promise<void> {
    const log = this.#log
    const { config } = log
    log.updateConfig({ ...config, cleanupPolicy: ['compact', 'delete'], retentionBytes: 4000 })
    await log.applyRetention()
    log.updateConfig(config)
  }

  async #restart(): Promise<void> {
    await this.#harness.manager.close()
    await this.#cleaning
    const { disk } = this.#harness
    const before = this.#log.logEndOffset
    await this.#open({ disk })
    assert.equal(this.#log.logEndOffset, before)
  }

  /** The power goes in the middle of whatever is done next. */
  async #crashSoon(): Promise<void> {
    const { disk } = this.#harness
    disk.options = { powerOffAt: disk.operationCount + 1 + this.#random.int(60) }
    for (let count = 0; count < 5; count++) {
      try {
        this.#append()
        this.#startCleaning()
        await tick()
        if (this.#random.chance(50)) await this.#settle()
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
    await this.#cleaning
    const sentEnd = this.#expected.records.length
    await this.#open({ disk: crashed, clock: new SimClock(clock.now()) })
    const { logEndOffset, failure } = this.#log
    assert.equal(failure, null)
    assert.ok(logEndOffset >= this.#ackedOffset, `acknowledged up to ${this.#ackedOffset}`)
    assert.ok(logEndOffset <= sentEnd, 'there is more than was sent')
    this.#cutTo(logEndOffset)
    this.#acknowledge()
    this.check()
  }

  async #open(options: Parameters<typeof openLog>[0]): Promise<void> {
    const { clock } = this.#harness
    this.#harness = await openLog({ clock, config: CONFIG, tailCacheBytes: 2000, ...options })
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

import * as assert from 'node:assert/strict'
import type { LogConfig } from '../config'
import type { Log } from '../log'
import { aBatch, CLIENT, crashAndReopen, openLog, readAll, type Harness } from './log-fixture'

const PRODUCER_ID = 77
const MAX_IN_FLIGHT = 5
const SMALL_READ_BYTES = 300

interface Sent {
  readonly sequence: number
  readonly values: readonly string[]
}

interface ModelOptions {
  readonly config: Partial<LogConfig>
  readonly tailCacheBytes: number
}

/** An idempotent producer and what it knows, beside the log that it writes to. */
export class ProducerModel {
  harness: Harness & { log: Log }
  readonly config: Partial<LogConfig>
  readonly tailCacheBytes: number
  /** Values of all records that the log must hold, by offset; behind `ackedOffset` some may be missing after a crash. */
  values: string[] = []
  startOffset = 0
  ackedOffset = 0
  /** Batches whose acknowledgement the producer has not seen: it may be on its way when the power goes. */
  #inFlight: { sent: Sent; nextOffset: number }[] = []
  #nextSequence = 0
  #count = 0

  private constructor(harness: Harness & { log: Log }, options: ModelOptions) {
    this.harness = harness
    this.config = options.config
    this.tailCacheBytes = options.tailCacheBytes
    this.#watch()
  }

  static async start(options: ModelOptions): Promise<ProducerModel> {
    return new ProducerModel(await openLog(options), options)
  }

  append(records: number, valueBytes: number): void {
    if (this.#inFlight.length === MAX_IN_FLIGHT) this.seeAcks()
    if (this.#inFlight.length === MAX_IN_FLIGHT) return
    const values = Array.from({ length: records }, () => `${this.#count++}`.padEnd(valueBytes, '.'))
    const sent = { sequence: this.#nextSequence, values }
    this.#nextSequence += records
    this.values.push(...values)
    this.#send(sent)
  }

  seeAcks(): void {
    this.#inFlight = this.#inFlight.filter(({ nextOffset }) => nextOffset > this.ackedOffset)
  }

  async crash(seed: number): Promise<void> {
    const sentEnd = this.values.length
    const options = { seed, config: this.config, tailCacheBytes: this.tailCacheBytes }
    this.harness = await crashAndReopen(this.harness, options)
    const { log } = this.harness
    assert.equal(log.failure, null)
    assert.ok(log.logEndOffset >= this.ackedOffset, 'an acknowledged record is lost')
    assert.ok(log.logEndOffset <= sentEnd, 'there is more than was sent')
    assert.equal(log.logStartOffset, this.startOffset)
    this.check(log.logEndOffset)
    this.#watch()
    this.#resend()
    this.check(sentEnd)
  }

  async restart(): Promise<void> {
    const { disk, clock, manager } = this.harness
    await manager.close()
    const options = { config: this.config, tailCacheBytes: this.tailCacheBytes }
    this.harness = await openLog({ ...options, disk, clock })
    assert.equal(this.harness.log.logEndOffset, this.values.length)
    this.#watch()
    this.#resend()
    this.check(this.values.length)
  }

  async trim(): Promise<void> {
    const { log } = this.harness
    this.seeAcks() // a batch that was deleted is no longer known as a duplicate
    const offset = Math.floor((this.startOffset + log.flushedOffset) / 2)
    log.setHighWatermark(log.flushedOffset)
    await log.deleteRecordsBefore(offset)
    assert.ok(log.logStartOffset >= offset)
    this.startOffset = log.logStartOffset
  }

  /** Retention by size, up to the high watermark. */
  async retain(): Promise<void> {
    const { log } = this.harness
    this.seeAcks()
    log.setHighWatermark(log.flushedOffset)
    log.updateConfig({ ...log.config, retentionBytes: 4000 })
    await log.applyRetention()
    assert.ok(log.logStartOffset <= log.flushedOffset)
    this.startOffset = log.logStartOffset
  }

  check(endOffset: number): void {
    const expected = this.values
      .slice(0, endOffset)
      .map((value, offset): [number, string] => [offset, value])
      .slice(this.startOffset)
    assert.deepEqual(readAll(this.harness.log), expected)
    assert.deepEqual(readAll(this.harness.log, SMALL_READ_BYTES), expected)
  }

  #send(sent: Sent): void {
    const records = aBatch({
      values: sent.values,
      producerId: PRODUCER_ID,
      producerEpoch: 0,
      baseSequence: sent.sequence,
    })
    const { nextOffset } = this.harness.log.append(records, CLIENT)
    this.#inFlight.push({ sent, nextOffset })
  }

  #resend(): void {
    const again = this.#inFlight
    this.#inFlight = []
    for (const { sent } of again) this.#send(sent)
  }

  #watch(): void {
    const { log } = this.harness
    log.onFlushed = () => this.#onFlushed(log.flushedOffset)
    this.#onFlushed(log.flushedOffset)
  }

  #onFlushed(offset: number): void {
    this.ackedOffset = Math.max(this.ackedOffset, offset)
  }
}

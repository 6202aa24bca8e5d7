import { batch, buildControlBatch, ControlType, nextBatchSize } from '@millrace/record'
import { protocolError } from '@millrace/wire'
import type { CoordinatorLog, TransactionMarker } from '../../src/coordinator-log'

/** The coordinators' topics in memory: gives offsets, keeps batches, fails or stalls on request. */
export class MemoryLog implements CoordinatorLog {
  readonly #partitions = new Map<string, Buffer[]>()
  readonly #nextOffsets = new Map<string, number>()
  appendCount = 0
  /** Error code that the next appends fail with; 0 for none. */
  failure = 0
  /** While set, appends and reads wait for it. */
  gate: Promise<void> | null = null

  async append(topic: string, partition: number, records: Buffer): Promise<void> {
    this.appendCount++
    await this.gate
    await Promise.resolve()
    if (this.failure !== 0) throw protocolError(this.failure)
    const key = `${topic}-${partition}`
    const baseOffset = this.#nextOffsets.get(key) ?? 0
    batch.setBaseOffset(records, 0, baseOffset)
    this.#nextOffsets.set(key, batch.nextOffset(records, 0))
    this.#partitions.set(key, [...(this.#partitions.get(key) ?? []), records])
  }

  appendMarker(topic: string, partition: number, marker: TransactionMarker): Promise<void> {
    const type = marker.isCommit ? ControlType.commit : ControlType.abort
    const records = buildControlBatch({ ...marker, type, timestamp: 0 })
    return this.append(topic, partition, records)
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
  ): Promise<{ records: Buffer; nextOffset: number }> {
    await this.gate
    if (this.failure !== 0) throw protocolError(this.failure)
    // Two batches at a time, so that a replay has to come back.
    const found = (this.#partitions.get(`${topic}-${partition}`) ?? [])
      .filter((records) => batch.nextOffset(records, 0) > fromOffset)
      .slice(0, 2)
    const records = Buffer.concat(found)
    let nextOffset = fromOffset
    for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
      nextOffset = batch.nextOffset(records, at)
    }
    return { records, nextOffset }
  }
}

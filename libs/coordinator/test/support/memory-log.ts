import { batch, nextBatchSize } from '@millrace/record'
import { protocolError } from '@millrace/wire'
import type { CoordinatorLog } from '../../src/coordinator-log'

/** The offsets topic in memory: gives offsets, keeps batches, fails or stalls on request. */
export class MemoryLog implements CoordinatorLog {
  readonly #partitions = new Map<number, Buffer[]>()
  readonly #nextOffsets = new Map<number, number>()
  appendCount = 0
  /** Error code that the next appends fail with; 0 for none. */
  failure = 0
  /** While set, appends and reads wait for it. */
  gate: Promise<void> | null = null

  async append(_topic: string, partition: number, records: Buffer): Promise<void> {
    this.appendCount++
    await this.gate
    await Promise.resolve()
    if (this.failure !== 0) throw protocolError(this.failure)
    const baseOffset = this.#nextOffsets.get(partition) ?? 0
    batch.setBaseOffset(records, 0, baseOffset)
    this.#nextOffsets.set(partition, batch.nextOffset(records, 0))
    this.#partitions.set(partition, [...(this.#partitions.get(partition) ?? []), records])
  }

  async read(
    _topic: string,
    partition: number,
    fromOffset: number,
  ): Promise<{ records: Buffer; nextOffset: number }> {
    await this.gate
    if (this.failure !== 0) throw protocolError(this.failure)
    // Two batches at a time, so that a replay has to come back.
    const found = (this.#partitions.get(partition) ?? [])
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

import { batch, nextBatchSize } from '@millrace/record'
import { decodeResponse, encodeRequest, FetchRequest, FetchResponse } from '@millrace/wire'
import type { Loop } from './main.ts'
import type { Meter } from './meter.ts'
import type { LoadOptions } from './options.ts'

const VERSION = 12
/** The Java consumer's defaults: fetch.max.bytes, max.partition.fetch.bytes, fetch.max.wait.ms. */
const MAX_BYTES = 52_428_800
const PARTITION_MAX_BYTES = 1_048_576
const MAX_WAIT_MS = 500

/** Reads its partitions from the start to the end, again and again, one request at a time, as a consumer does. */
export class FetchLoop implements Loop {
  readonly #meter: Meter
  readonly #options: LoadOptions
  /** Next offset by partition. */
  readonly #positions = new Map<number, number>()
  #correlationId = 0
  #sentAtMs = 0

  constructor(options: LoadOptions, connectionIndex: number, meter: Meter) {
    this.#meter = meter
    this.#options = options
    for (let p = connectionIndex; p < options.partitions; p += options.connections)
      this.#positions.set(p, 0)
  }

  start(send: (frame: Buffer) => void): void {
    this.#send(send)
  }

  onFrame(frame: Buffer, send: (frame: Buffer) => void): void {
    const { correlationId, value } = decodeResponse(FetchResponse, VERSION, frame)
    if (correlationId !== this.#correlationId) throw new Error('an answer to nothing')
    let records = 0
    for (const { partitionIndex, errorCode, records: data } of value.responses[0].partitions) {
      if (errorCode !== 0) throw new Error(`the broker refused a fetch: error ${errorCode}`)
      records += this.#takePartition(partitionIndex, data)
    }
    const valueBytes = records * this.#options.recordBytes
    this.#meter.count(records, valueBytes, performance.now() - this.#sentAtMs)
    this.#send(send)
  }

  /** Walks the batches by their headers. At the end of the partition it starts over. */
  #takePartition(partition: number, data: Buffer | null): number {
    if (data === null || data.length === 0) {
      this.#positions.set(partition, 0)
      return 0
    }
    let records = 0
    for (let at = 0; at < data.length; ) {
      const size = nextBatchSize(data, at)
      if (size === -1) break
      records += batch.recordCount(data, at)
      this.#positions.set(partition, batch.nextOffset(data, at))
      at += size
    }
    return records
  }

  #send(send: (frame: Buffer) => void): void {
    this.#correlationId += 1
    const header = { correlationId: this.#correlationId, clientId: 'bench' }
    const partitions = [...this.#positions].map(([partition, fetchOffset]) => ({
      partition,
      fetchOffset,
      partitionMaxBytes: PARTITION_MAX_BYTES,
    }))
    const request = {
      maxWaitMs: MAX_WAIT_MS,
      // Zero: the end of a partition is answered at once, and the reading starts over.
      minBytes: 0,
      maxBytes: MAX_BYTES,
      isolationLevel: 0,
      topics: [{ topic: this.#options.topic, partitions }],
    }
    this.#sentAtMs = performance.now()
    send(Buffer.concat(encodeRequest(FetchRequest, VERSION, header, request)))
  }
}

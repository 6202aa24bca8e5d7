import { decodeResponse, ProduceResponse } from '@millrace/wire'
import type { Loop } from './main.ts'
import type { Meter } from './meter.ts'
import type { LoadOptions } from './options.ts'
import { aBatch, aFrame, CORRELATION_ID_AT, PRODUCE_VERSION } from './produce-loop.ts'

const TICK_MS = 1

/**
 * Sends batches at a fixed rate, whatever the answers do, and counts the time from the moment at which a batch was due: a broker that stands
 * still for a while is charged for everything that should have been sent meanwhile.
 */
export class PacedProduceLoop implements Loop {
  readonly #meter: Meter
  readonly #options: LoadOptions
  readonly #frame: Buffer
  readonly #recordsPerBatch: number
  readonly #batchesPerMs: number
  readonly #dueAtMs = new Map<number, number>()
  #sentCount = 0

  constructor(options: LoadOptions, connectionIndex: number, meter: Meter) {
    this.#meter = meter
    this.#options = options
    const { batch, recordCount } = aBatch(options)
    this.#recordsPerBatch = recordCount
    this.#frame = aFrame(options.topic, connectionIndex % options.partitions, batch)
    this.#batchesPerMs = options.recordsPerS! / recordCount / options.connections / 1000
  }

  start(send: (frame: Buffer) => void): void {
    const startedMs = performance.now()
    setInterval(() => {
      const due = Math.floor((performance.now() - startedMs) * this.#batchesPerMs)
      for (; this.#sentCount < due; this.#sentCount++) {
        const frame = Buffer.from(this.#frame)
        frame.writeInt32BE(this.#sentCount, CORRELATION_ID_AT)
        this.#dueAtMs.set(this.#sentCount, startedMs + (this.#sentCount + 1) / this.#batchesPerMs)
        send(frame)
      }
    }, TICK_MS).unref()
  }

  onFrame(frame: Buffer): void {
    const { correlationId, value } = decodeResponse(ProduceResponse, PRODUCE_VERSION, frame)
    const dueAtMs = this.#dueAtMs.get(correlationId)
    if (dueAtMs === undefined) throw new Error(`an answer to nothing: ${correlationId}`)
    this.#dueAtMs.delete(correlationId)
    const { errorCode } = value.responses[0].partitionResponses[0]
    if (errorCode !== 0) throw new Error(`the broker refused a batch: error ${errorCode}`)
    const valueBytes = this.#recordsPerBatch * this.#options.recordBytes
    this.#meter.count(this.#recordsPerBatch, valueBytes, performance.now() - dueAtMs)
  }
}

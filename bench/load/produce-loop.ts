import { BatchBuilder, maxRecordBytes } from '@millrace/record'
import { decodeResponse, encodeRequest, ProduceRequest, ProduceResponse } from '@millrace/wire'
import type { Loop } from './main.ts'
import type { Meter } from './meter.ts'
import type { LoadOptions } from './options.ts'

export const PRODUCE_VERSION = 9
const TIMEOUT_MS = 30_000
/** In the frame, after size, key and version. */
export const CORRELATION_ID_AT = 8

interface Slot {
  readonly frame: Buffer
  sentAtMs: number
}

/** Keeps `inFlight` requests of one batch each on the way, with acks=all, and checks every answer. */
export class ProduceLoop implements Loop {
  readonly #meter: Meter
  readonly #recordsPerBatch: number
  readonly #recordBytes: number
  readonly #slots = new Map<number, Slot>()
  readonly #frames: Buffer[]
  #nextCorrelationId = 1

  constructor(options: LoadOptions, connectionIndex: number, meter: Meter) {
    this.#meter = meter
    this.#recordBytes = options.recordBytes
    const { batch, recordCount } = aBatch(options)
    this.#recordsPerBatch = recordCount
    this.#frames = Array.from({ length: options.inFlight }, (_, index) =>
      aFrame(
        options.topic,
        (connectionIndex * options.inFlight + index) % options.partitions,
        batch,
      ),
    )
  }

  start(send: (frame: Buffer) => void): void {
    for (const frame of this.#frames) this.#send({ frame, sentAtMs: 0 }, send)
  }

  onFrame(frame: Buffer, send: (frame: Buffer) => void): void {
    const { correlationId, value } = decodeResponse(ProduceResponse, PRODUCE_VERSION, frame)
    const slot = this.#slots.get(correlationId)
    if (!slot) throw new Error(`an answer to nothing: ${correlationId}`)
    this.#slots.delete(correlationId)
    const { errorCode } = value.responses[0].partitionResponses[0]
    if (errorCode !== 0) throw new Error(`the broker refused a batch: error ${errorCode}`)
    const valueBytes = this.#recordsPerBatch * this.#recordBytes
    this.#meter.count(this.#recordsPerBatch, valueBytes, performance.now() - slot.sentAtMs)
    this.#send(slot, send)
  }

  /** The slot's frame is the socket's until the answer has come. */
  #send(slot: Slot, send: (frame: Buffer) => void): void {
    const correlationId = this.#nextCorrelationId++
    slot.frame.writeInt32BE(correlationId, CORRELATION_ID_AT)
    slot.sentAtMs = performance.now()
    this.#slots.set(correlationId, slot)
    send(slot.frame)
  }
}

/** As many records as a producer with this batch.size would put in. */
export function aBatch(options: { readonly recordBytes: number; readonly batchBytes: number }): {
  batch: Buffer
  recordCount: number
} {
  const builder = new BatchBuilder()
  const timestamp = Date.now()
  const value = Buffer.alloc(options.recordBytes)
  for (let index = 0; index < value.length; index++) value[index] = 32 + ((index * 7) % 95)
  const recordMaxBytes = maxRecordBytes(null, value, [])
  do builder.append(timestamp, null, value)
  while (builder.estimatedBytes + recordMaxBytes <= options.batchBytes)
  return { recordCount: builder.recordCount, batch: builder.build() }
}

export function aFrame(name: string, index: number, records: Buffer): Buffer {
  const header = { correlationId: 0, clientId: 'bench' }
  const request = {
    transactionalId: null,
    acks: -1,
    timeoutMs: TIMEOUT_MS,
    topicData: [{ name, partitionData: [{ index, records }] }],
  }
  return Buffer.concat(encodeRequest(ProduceRequest, PRODUCE_VERSION, header, request))
}

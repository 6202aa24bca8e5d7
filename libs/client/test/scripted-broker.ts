import { type Duplex, duplexPair } from 'node:stream'
import type { Net } from '@millrace/base'
import { batch, RecordCursor } from '@millrace/record'
import {
  ApiKey,
  apiMessages,
  decode,
  decodeRequestHeader,
  encodeResponse,
  ErrorCode,
  FrameSplitter,
  type InferInput,
  type ProduceRequest,
  type ServedApiKey,
} from '@millrace/wire'

const NODE_ID = 1
const DUPLICATE_WINDOW = 5
const PRODUCER_ID = 4711

/** What the broker does with a batch instead of taking it: an error code, or a connection that dies before or after. */
export type Fault = { readonly errorCode: number } | 'cut-before-append' | 'cut-after-append'

export interface ArrivedBatch {
  readonly recordCount: number
  /** The log has it already. */
  readonly isDuplicate: boolean
}

interface ProducerState {
  readonly epoch: number
  /** First and last sequence of the last batches, newest at the end. */
  readonly batches: { readonly first: number; readonly last: number }[]
}

/**
 * A broker of one partition per topic that fails on command, in memory. It keeps Kafka's rules for sequences, the one
 * included that a producer without state may begin anywhere.
 */
export class ScriptedBroker implements Net {
  /** Asked once per batch that arrives, in order; null takes it. */
  onBatch: (ordinal: number, arrived: ArrivedBatch) => Fault | null = () => null
  /** Values in the log, in order. */
  readonly values: string[] = []
  readonly #producers = new Map<number, ProducerState>()
  #batchCount = 0
  #nextProducerId = PRODUCER_ID

  connect(): Promise<Duplex> {
    const [client, server] = duplexPair()
    const frames = new FrameSplitter({ maxFrameBytes: 1 << 24 })
    server.on('data', (chunk: Buffer) => {
      frames.push(chunk)
      for (let frame = frames.next(); frame !== null; frame = frames.next()) {
        if (!server.destroyed) this.#answer(server, client, frame)
      }
    })
    return Promise.resolve(client)
  }

  #answer(server: Duplex, client: Duplex, frame: Buffer): void {
    const { apiKey, apiVersion, correlationId, bodyStart } = decodeRequestHeader(frame)
    const reply = <K extends ServedApiKey>(
      key: K,
      value: InferInput<(typeof apiMessages)[K]['response']>,
    ) => {
      const { response } = apiMessages[key]
      const parts = encodeResponse(response as never, apiVersion, correlationId, value as never)
      server.write(Buffer.concat(parts))
    }
    switch (apiKey) {
      case ApiKey.ApiVersions:
        return reply(ApiKey.ApiVersions, { errorCode: 0, apiKeys: SERVED })
      case ApiKey.Metadata: {
        const request = decode(apiMessages[ApiKey.Metadata].request, apiVersion, frame, bodyStart)
        const names = (request.topics ?? []).map(({ name }) => name ?? '')
        return reply(ApiKey.Metadata, metadataOf(names))
      }
      case ApiKey.InitProducerId:
        return reply(ApiKey.InitProducerId, {
          throttleTimeMs: 0,
          errorCode: 0,
          producerId: this.#nextProducerId++,
          producerEpoch: 0,
        })
      case ApiKey.Produce: {
        const request = decode(apiMessages[ApiKey.Produce].request, apiVersion, frame, bodyStart)
        const responses = this.#produce(request)
        if (responses === 'cut') return void client.destroy()
        return reply(ApiKey.Produce, { responses })
      }
      default:
        throw new Error(`the scripted broker does not serve API ${apiKey}`)
    }
  }

  #produce(request: ProduceRequest) {
    const responses = []
    for (const { name, partitionData } of request.topicData) {
      const partitionResponses = []
      for (const { index, records } of partitionData) {
        const fault = this.onBatch(this.#batchCount++, {
          recordCount: batch.recordCount(records!, 0),
          isDuplicate: this.#isDuplicate(records!),
        })
        if (fault === 'cut-before-append') return 'cut'
        const errorCode =
          typeof fault === 'object' && fault !== null ? fault.errorCode : this.#append(records!)
        if (fault === 'cut-after-append') return 'cut'
        partitionResponses.push({ index, errorCode, baseOffset: errorCode === 0 ? 0 : -1 })
      }
      responses.push({ name, partitionResponses })
    }
    return responses
  }

  #isDuplicate(records: Buffer): boolean {
    const known = this.#producers.get(batch.producerId(records, 0))
    if (known === undefined || known.epoch !== batch.producerEpoch(records, 0)) return false
    const first = batch.baseSequence(records, 0)
    const last = batch.lastSequence(records, 0)
    return known.batches.some((one) => one.first === first && one.last === last)
  }

  #append(records: Buffer): number {
    const producerId = batch.producerId(records, 0)
    const epoch = batch.producerEpoch(records, 0)
    const first = batch.baseSequence(records, 0)
    const last = batch.lastSequence(records, 0)
    const known = this.#producers.get(producerId)
    const isSameEpoch = known !== undefined && known.epoch === epoch
    if (known !== undefined && epoch < known.epoch) return ErrorCode.INVALID_PRODUCER_EPOCH
    if (this.#isDuplicate(records)) return ErrorCode.NONE
    const expected = isSameEpoch ? known.batches.at(-1)!.last + 1 : 0
    if (known !== undefined && first !== expected) return ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    const before = isSameEpoch ? known.batches : []
    const batches = [...before, { first, last }].slice(-DUPLICATE_WINDOW)
    this.#producers.set(producerId, { epoch, batches })
    const cursor = new RecordCursor()
    for (cursor.open(records, 0); cursor.next(); ) this.values.push(String(cursor.value()))
    return ErrorCode.NONE
  }
}

const SERVED = [
  { apiKey: ApiKey.Produce, minVersion: 3, maxVersion: 12 },
  { apiKey: ApiKey.Metadata, minVersion: 0, maxVersion: 12 },
  { apiKey: ApiKey.ApiVersions, minVersion: 0, maxVersion: 4 },
  { apiKey: ApiKey.InitProducerId, minVersion: 0, maxVersion: 4 },
]

function metadataOf(names: readonly string[]) {
  return {
    brokers: [{ nodeId: NODE_ID, host: 'scripted', port: 9092 }],
    controllerId: NODE_ID,
    clusterId: 'scripted',
    topics: names.map((name) => ({
      errorCode: 0,
      name,
      partitions: [
        {
          errorCode: 0,
          partitionIndex: 0,
          leaderId: NODE_ID,
          leaderEpoch: 0,
          replicaNodes: [NODE_ID],
          isrNodes: [NODE_ID],
        },
      ],
    })),
  }
}

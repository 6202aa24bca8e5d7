import { type Duplex, duplexPair } from 'node:stream'
import type { Net } from '@millrace/base'
import {
  ApiKey,
  apiMessages,
  decode,
  decodeRequestHeader,
  encodeResponse,
  FrameSplitter,
  type Infer,
  type InferInput,
  type ServedApiKey,
} from '@millrace/wire'

const NODE_ID = 1

type Request<K extends ServedApiKey> = Infer<(typeof apiMessages)[K]['request']>
type Response<K extends ServedApiKey> = InferInput<(typeof apiMessages)[K]['response']>
/** `cut` ends the connection instead of an answer. */
type Answer<K extends ServedApiKey> = (
  request: Request<K>,
) => Response<K> | 'cut' | Promise<Response<K> | 'cut'>

/** A broker in memory that gives the answers it is told to: for what a sound broker would never say. */
export class AnsweringBroker implements Net {
  readonly #answers = new Map<number, Answer<never>>()

  /** Knows one-partition topics of any name, and coordinates all groups. */
  constructor() {
    this.on(ApiKey.ApiVersions, () => ({
      errorCode: 0,
      apiKeys: [...this.#answers.keys()].map((key) => {
        const { min, max } = apiMessages[key as ServedApiKey].request.versions
        return { apiKey: key, minVersion: min, maxVersion: max }
      }),
    }))
    this.on(ApiKey.Metadata, ({ topics }) => ({
      brokers: [{ nodeId: NODE_ID, host: 'answering', port: 9092 }],
      controllerId: NODE_ID,
      topics: (topics ?? []).map(({ name }) => aTopic(name ?? '')),
    }))
    this.on(ApiKey.FindCoordinator, () => ({ errorCode: 0, nodeId: NODE_ID, host: '', port: 0 }))
  }

  on<K extends ServedApiKey>(key: K, answer: Answer<K>): void {
    this.#answers.set(key, answer as Answer<never>)
  }

  connect(): Promise<Duplex> {
    const [client, server] = duplexPair()
    const frames = new FrameSplitter({ maxFrameBytes: 1 << 24 })
    let last: Promise<void> = Promise.resolve()
    server.on('data', (chunk: Buffer) => {
      frames.push(chunk)
      for (let frame = frames.next(); frame !== null; frame = frames.next()) {
        const request = frame
        last = last.then(() => this.#answer(server, client, request)) // answers keep their order
      }
    })
    return Promise.resolve(client)
  }

  async #answer(server: Duplex, client: Duplex, frame: Buffer): Promise<void> {
    const { apiKey, apiVersion, correlationId, bodyStart } = decodeRequestHeader(frame)
    const { request, response } = apiMessages[apiKey as ServedApiKey]
    const value = decode(request as never, apiVersion, frame, bodyStart)
    const answer = await this.#answers.get(apiKey)!(value)
    if (answer === 'cut') return void client.destroy()
    if (server.destroyed) return
    const parts = encodeResponse(response as never, apiVersion, correlationId, answer as never)
    server.write(Buffer.concat(parts))
  }
}

function aTopic(name: string) {
  const partition = {
    errorCode: 0,
    partitionIndex: 0,
    leaderId: NODE_ID,
    leaderEpoch: 0,
    replicaNodes: [NODE_ID],
    isrNodes: [NODE_ID],
  }
  return { errorCode: 0, name, partitions: [partition] }
}

import {
  ApiKey,
  type apiMessages,
  type Infer,
  type InferInput,
  type ServedApiKey,
} from '@millrace/wire'
import { RawClient } from '../harness'
import { EssenceOf } from './essence'
import { type Server, untilNoError } from './server'

export type RequestOf<K extends ServedApiKey> = InferInput<(typeof apiMessages)[K]['request']>
export type AnswerOf<K extends ServedApiKey> = Infer<(typeof apiMessages)[K]['response']>

/** Requests one after the other, each built from what was answered so far; `on` keeps the answers. */
export interface Scenario {
  readonly title: string
  readonly run: (on: Script) => Promise<void>
}

export interface Topic {
  readonly name: string
  readonly id: string
}

const SILENCE_MS = 10_000

interface Shared {
  readonly server: Server
  readonly name: string
  readonly answers: Promise<unknown>[]
  readonly clients: RawClient[]
  topicCount: number
}

/** A server as one scenario sees it: a connection, names of its own, and the answers so far. */
export class Script {
  readonly #shared: Shared
  /** For groups, transactional ids and topics: nobody else has it. */
  readonly name: string
  #client: RawClient | null = null

  private constructor(shared: Shared) {
    this.#shared = shared
    this.name = shared.name
  }

  /** The lines of all answers that `run` asked for. */
  static async answersTo(server: Server, name: string, { run }: Scenario): Promise<string[]> {
    const shared: Shared = { server, name, answers: [], clients: [], topicCount: 0 }
    try {
      await run(new Script(shared))
      const answers = await Promise.all(shared.answers)
      const essence = new EssenceOf(name)
      const lines = answers.map((answer) => essence.lineOf(answer))
      return lines.map((line, index) => (line === lines[index - 1] ? 'likewise' : line))
    } finally {
      for (const client of shared.clients) client.close()
    }
  }

  /** The same scenario on a connection of its own. */
  another(): Script {
    return new Script(this.#shared)
  }

  async topic(configs: Record<string, string> = {}, numPartitions = 1): Promise<Topic> {
    const name = `${this.name}-${++this.#shared.topicCount}`
    const given = Object.entries({ 'retention.ms': '-1', ...configs })
    const shape = { numPartitions, replicationFactor: 1, assignments: [] }
    const { topics } = await this.quietly(ApiKey.CreateTopics, 7, {
      topics: [{ name, ...shape, configs: given.map(([key, value]) => ({ name: key, value })) }],
      timeoutMs: 10_000,
    })
    if (topics[0].errorCode !== 0) throw new Error(`${name}: ${topics[0].errorMessage}`)
    const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: -1,
    }))
    // Kafka confirms what its controller has; the broker follows a moment later.
    await untilNoError(async () => {
      const request = { replicaId: -1, topics: [{ name, partitions }] }
      const answer = await this.quietly(ApiKey.ListOffsets, 7, { ...request, isolationLevel: 0 })
      return Math.max(...answer.topics[0].partitions.map(({ errorCode }) => errorCode))
    })
    return { name, id: topics[0].topicId }
  }

  /** Asks without keeping the answer. */
  async quietly<K extends ServedApiKey>(
    key: K,
    version: number,
    request: RequestOf<K>,
  ): Promise<AnswerOf<K>> {
    return (await this.#connection()).ask(key, version, request)
  }

  /** Asks and keeps the answer, or the part of it that `pick` takes; null if the connection was closed instead. */
  async ask<K extends ServedApiKey>(
    key: K,
    version: number,
    request: RequestOf<K>,
    pick: (answer: AnswerOf<K>) => unknown = (answer) => answer,
  ): Promise<AnswerOf<K>> {
    const answer = this.#answerTo(key, version, request)
    this.#shared.answers.push(answer.then((it) => (typeof it === 'string' ? it : pick(it))))
    return (await answer) as AnswerOf<K>
  }

  /** Sends what is answered much later, or never. */
  async send<K extends ServedApiKey>(
    key: K,
    version: number,
    request: RequestOf<K>,
  ): Promise<void> {
    const client = await this.#connection()
    client.send(key, version, request)
  }

  /** Sends what is not answered, and keeps whether the connection lives on. */
  async fire<K extends ServedApiKey>(
    key: K,
    version: number,
    request: RequestOf<K>,
  ): Promise<void> {
    const client = await this.#connection()
    const outcome = (async () => {
      client.send(key, version, request)
      client.send(ApiKey.ApiVersions, 0, {})
      const frame = await orSilence(client.nextFrame())
      return typeof frame === 'string' ? frame : frame === null ? 'closed' : 'goes on'
    })()
    this.#shared.answers.push(outcome)
    await outcome
  }

  /** Sends bytes on a fresh connection, and keeps the first bytes of what comes back. */
  async bytes(bytes: Buffer, format: (frame: Buffer) => unknown): Promise<void> {
    this.#client = null
    const client = await this.#connection()
    client.sendBytes(bytes)
    const frame = await orSilence(client.nextFrame())
    this.#client = null
    const answer = typeof frame === 'string' ? frame : frame === null ? 'closed' : format(frame)
    this.#shared.answers.push(Promise.resolve(answer))
  }

  async #answerTo<K extends ServedApiKey>(
    key: K,
    version: number,
    request: RequestOf<K>,
  ): Promise<AnswerOf<K> | string> {
    const client = await this.#connection()
    client.send(key, version, request)
    const answer = await orSilence(
      client.receive(key, version).catch((error: unknown) => {
        if (client.isClosed) return null
        throw error
      }),
    )
    if (answer === null) return 'closed'
    return typeof answer === 'string' ? answer : answer.value
  }

  async #connection(): Promise<RawClient> {
    if (this.#client === null || this.#client.isClosed) {
      this.#client = await RawClient.open(this.#shared.server.port)
      this.#shared.clients.push(this.#client)
    }
    return this.#client
  }
}

async function orSilence<T>(answer: Promise<T>): Promise<T | string> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('silence'), SILENCE_MS)
  })
  try {
    return await Promise.race([answer, silence])
  } finally {
    clearTimeout(timer)
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startBroker, type RunningBroker } from '@millrace/broker'
import { BatchBuilder } from '@millrace/record'
import { createLogger, type Logger } from '@millrace/telemetry'
import {
  apiMessages,
  decodeResponse,
  encodeRequest,
  FrameSplitter,
  type Infer,
  type InferInput,
  type ServedApiKey,
} from '@millrace/wire'

/** A broker in this process, on a free port and a directory of its own. */
export interface TestBroker {
  readonly port: number
  /** Of all its listeners. */
  readonly ports: readonly number[]
  readonly bootstrap: string
  readonly directory: string
  /** Where /metrics is, with `metrics.http.listener` among its properties. */
  readonly metricsUrl: string
  /** A value of /metrics by its name and labels as they stand in the text; undefined if there is none. */
  metric(sample: string): Promise<number | undefined>
  /** Lines at level warn and error since the start. */
  readonly complaints: readonly string[]
  /** Stops it properly and starts it on the same directory; the port may change. */
  restart(properties?: Record<string, string>): Promise<void>
  /** Stops it and removes the directory. */
  stop(): Promise<void>
}

const TEST_DEFAULTS = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
}

export async function startTestBroker(
  properties: Record<string, string> = {},
): Promise<TestBroker> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
  const complaints: string[] = []
  const logger = complaintsOnly(complaints)
  const start = (more: Record<string, string>): Promise<RunningBroker> =>
    startBroker({
      properties: {
        ...TEST_DEFAULTS,
        listeners: 'PLAINTEXT://127.0.0.1:0',
        'log.dirs': directory,
        ...properties,
      },
      overrides: more,
      logger,
    })
  let running = await start({})
  return {
    get port() {
      return running.addresses[0].port
    },
    get ports() {
      return running.addresses.map(({ port }) => port)
    },
    get bootstrap() {
      return `127.0.0.1:${running.addresses[0].port}`
    },
    get metricsUrl() {
      return `${running.metricsAddress}/metrics`
    },
    async metric(sample) {
      const lines = (await running.metrics.expose()).split('\n')
      const line = lines.find((one) => one.startsWith(`${sample} `))
      return line === undefined ? undefined : Number(line.slice(sample.length))
    },
    directory,
    complaints,
    async restart(more = {}) {
      await running.close()
      running = await start(more)
    },
    async stop() {
      await running.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function complaintsOnly(complaints: string[]): Logger {
  return createLogger({ level: 'warn', write: (line) => complaints.push(line), now: Date.now })
}

/** A client that speaks frames: for what no client library would send. */
export class RawClient {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter({ maxFrameBytes: 1 << 28 })
  readonly #frames: Buffer[] = []
  readonly #waiting: ((frame: Buffer | null) => void)[] = []
  #isClosed = false
  #nextCorrelationId = 1

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      for (const waiting of this.#waiting.splice(0)) waiting(null)
    })
  }

  static open(port: number, tls?: ConnectionOptions): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const address = { host: '127.0.0.1', port }
      const socket: Socket = tls
        ? connectTls({ ...address, ...tls }, () => resolve(new RawClient(socket)))
        : connect(address, () => resolve(new RawClient(socket)))
      socket.once('error', reject)
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Sends a request and returns its correlation id, without waiting for the answer. */
  send<K extends ServedApiKey>(
    key: K,
    version: number,
    request: InferInput<(typeof apiMessages)[K]['request']>,
  ): number {
    const correlationId = this.#nextCorrelationId++
    const header = { correlationId, clientId: 'raw' }
    const spec = apiMessages[key].request as (typeof apiMessages)[K]['request']
    this.sendBytes(Buffer.concat(encodeRequest(spec, version, header, request as never)))
    return correlationId
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** The next answer, decoded. @throws Error if the broker closed the connection instead */
  async receive<K extends ServedApiKey>(
    key: K,
    version: number,
  ): Promise<{ correlationId: number; value: Infer<(typeof apiMessages)[K]['response']> }> {
    const frame = await this.nextFrame()
    if (frame === null) throw new Error('the broker closed the connection')
    return decodeResponse(apiMessages[key].response as never, version, frame)
  }

  async ask<K extends ServedApiKey>(
    key: K,
    version: number,
    request: InferInput<(typeof apiMessages)[K]['request']>,
  ): Promise<Infer<(typeof apiMessages)[K]['response']>> {
    this.send(key, version, request)
    return (await this.receive(key, version)).value
  }

  /** The next frame, or null once the broker has closed the connection. */
  nextFrame(): Promise<Buffer | null> {
    const frame = this.#frames.shift()
    if (frame) return Promise.resolve(frame)
    if (this.#isClosed) return Promise.resolve(null)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Takes nothing more from the broker: what it sends fills the buffers of the system, then its own. */
  pauseReading(): void {
    this.#socket.pause()
  }

  resumeReading(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    this.#splitter.push(chunk)
    for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
      const waiting = this.#waiting.shift()
      if (waiting) waiting(frame)
      else this.#frames.push(frame)
    }
  }
}

/** Bytes of buffers that something in this process still refers to: unlike its memory, they do not depend on when garbage is collected. */
export function heldBufferBytes(): number {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

/** How many requests of a kind the broker begins of those that `send` sends, once it has begun some and no more for half a second. */
export async function requestsBegun(
  broker: TestBroker,
  { request, version }: { request: string; version: number },
  send: () => void,
): Promise<number> {
  const labels = `request="${request}",version="${version}"`
  const name = `kafka_network_requestmetrics_requests_total{${labels}}`
  const countNow = async () => (await broker.metric(name)) ?? 0
  const before = await countNow()
  send()
  let begun = 0
  for (let stillFor = 0; begun === 0 || stillFor < 10; ) {
    await sleep(50)
    const now = (await countNow()) - before
    stillFor = now === begun ? stillFor + 1 : 0
    if (begun === 0 && stillFor > 400) throw new Error('no request was begun')
    begun = now
  }
  return begun
}

/** A batch with the given values, by default timestamped now. */
export function aBatch(
  values: readonly string[],
  options: {
    key?: string
    producer?: { producerId: number; producerEpoch: number; baseSequence: number }
    isTransactional?: boolean
    timestamp?: number
  } = {},
): Buffer {
  const builder = new BatchBuilder()
  const key = options.key === undefined ? null : Buffer.from(options.key)
  const { producer, isTransactional, timestamp = Date.now() } = options
  for (const value of values) builder.append(timestamp, key, Buffer.from(value))
  return builder.build({ ...producer, isTransactional })
}

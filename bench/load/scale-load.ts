/** The load of the scale bench: many connections that each do little. Driven by its parent over the IPC channel. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { BatchBuilder } from '@millrace/record'
import {
  ApiKey,
  apiMessages,
  decodeResponse,
  encodeRequest,
  FrameSplitter,
  type Infer,
  type InferInput,
  type ServedApiKey,
} from '@millrace/wire'
import { Meter } from './meter.ts'
import type { ScaleMessage, ScaleOptions } from './scale-options.ts'

const CONNECTS_AT_ONCE = 200
const PRODUCE_VERSION = 9
const FIND_COORDINATOR_VERSION = 4
const JOIN_VERSION = 5
const SYNC_VERSION = 3
const HEARTBEAT_VERSION = 3
const COMMIT_VERSION = 7
const HEARTBEAT_EVERY_MS = 1000
const RECORD_BYTES = 1000
const FRAME_MAX_BYTES = 1 << 20

type Request<K extends ServedApiKey> = InferInput<(typeof apiMessages)[K]['request']>
type Response<K extends ServedApiKey> = Infer<(typeof apiMessages)[K]['response']>

/** One request at a time. */
class Client {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter({ maxFrameBytes: FRAME_MAX_BYTES })
  #onFrame: (frame: Buffer) => void = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next())
        this.#onFrame(frame)
    })
    socket.on('error', fail)
  }

  static open(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Client(socket)))
    })
  }

  ask<K extends ServedApiKey>(key: K, version: number, request: Request<K>): Promise<Response<K>> {
    const { request: requestSpec, response: responseSpec } = apiMessages[key]
    const header = { correlationId: 1, clientId: 'scale' }
    return new Promise((resolve) => {
      this.#onFrame = (frame) =>
        resolve(decodeResponse(responseSpec as never, version, frame).value as Response<K>)
      const frame = encodeRequest(requestSpec as never, version, header, request as never)
      this.#socket.write(Buffer.concat(frame))
    })
  }
}

const meter = new Meter()
const counts = { batches: 0, heartbeats: 0, commits: 0 }
let isOver = false

process.once('message', (options: ScaleOptions) => void run(options).catch(fail))

async function run(options: ScaleOptions): Promise<void> {
  await openMany(options.port, options.idleConnections)
  await sleep(1000)
  tell({ type: 'idle' })
  const producers = await openMany(options.port, options.partitions)
  const members = await openMany(options.port, options.groups)
  await whenCoordinated(members[0])
  producers.forEach((client, partition) => void produce(client, partition, options).catch(fail))
  for (const [index, client] of members.entries()) {
    void takePart(client, `scale-${index}`, options.topic).catch(fail)
    if (index % CONNECTS_AT_ONCE === 0) await sleep(50)
  }
  await sleep(2000)
  Object.assign(counts, { batches: 0, heartbeats: 0, commits: 0 })
  meter.begin()
  tell({ type: 'measuring' })
  await sleep(options.measureMs)
  isOver = true
  tell({ type: 'done', result: { ...counts, produceMs: meter.finish().latencyMs } })
}

async function openMany(port: number, count: number): Promise<Client[]> {
  const clients: Client[] = []
  while (clients.length < count) {
    const next = Math.min(CONNECTS_AT_ONCE, count - clients.length)
    const opened = Array.from({ length: next }, async () => {
      const client = await Client.open(port)
      await client.ask(ApiKey.ApiVersions, 0, {})
      return client
    })
    clients.push(...(await Promise.all(opened)))
  }
  return clients
}

/** The first to ask for a coordinator has the topic of the groups created. */
async function whenCoordinated(client: Client | undefined): Promise<void> {
  for (let errorCode = client ? -1 : 0; errorCode !== 0; await sleep(200)) {
    const request = { keyType: 0, coordinatorKeys: ['scale-0'] }
    const answer = await client!.ask(ApiKey.FindCoordinator, FIND_COORDINATOR_VERSION, request)
    errorCode = answer.coordinators[0].errorCode
  }
}

async function produce(client: Client, partition: number, options: ScaleOptions): Promise<void> {
  const { topic, batchesPerSecond } = options
  const everyMs = 1000 / batchesPerSecond
  await sleep(Math.random() * everyMs)
  const builder = new BatchBuilder()
  builder.append(Date.now(), null, Buffer.alloc(RECORD_BYTES))
  const records = builder.build()
  while (!isOver) {
    const sentAtMs = performance.now()
    const { responses } = await client.ask(ApiKey.Produce, PRODUCE_VERSION, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    })
    const tookMs = performance.now() - sentAtMs
    check('produce', responses[0].partitionResponses[0].errorCode)
    counts.batches += 1
    meter.count(1, RECORD_BYTES, tookMs)
    await sleep(Math.max(0, everyMs - tookMs))
  }
}

async function takePart(client: Client, groupId: string, topic: string): Promise<void> {
  const join = (memberId: string) =>
    client.ask(ApiKey.JoinGroup, JOIN_VERSION, {
      groupId,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(8) }],
    })
  const { memberId } = await join('')
  const { generationId, errorCode } = await join(memberId)
  check('join', errorCode)
  const identity = { groupId, generationId, memberId }
  const assignments = [{ memberId, assignment: Buffer.alloc(8) }]
  await client.ask(ApiKey.SyncGroup, SYNC_VERSION, { ...identity, assignments })
  await sleep(Math.random() * HEARTBEAT_EVERY_MS)
  for (let offset = 0; !isOver; offset++) {
    check('heartbeat', (await client.ask(ApiKey.Heartbeat, HEARTBEAT_VERSION, identity)).errorCode)
    const { topics } = await client.ask(ApiKey.OffsetCommit, COMMIT_VERSION, {
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }],
        },
      ],
    })
    check('commit', topics[0].partitions[0].errorCode)
    counts.heartbeats += 1
    counts.commits += 1
    await sleep(HEARTBEAT_EVERY_MS)
  }
}

function check(what: string, errorCode: number): void {
  if (errorCode !== 0) fail(new Error(`the broker refused a ${what}: error ${errorCode}`))
}

function fail(error: unknown): void {
  if (isOver) return
  console.error(error)
  process.exit(1)
}

function tell(message: ScaleMessage): void {
  process.send!(message)
}

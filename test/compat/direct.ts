/**
 * What the scenarios do and look at without the client under test: topics and batches by requests of our own, and the
 * batches as they lie on disk. Works on any broker that keeps Kafka's files.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { batch, nextBatchSize } from '@millrace/record'
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
import { waitFor } from './wait.ts'

const CREATE_TOPICS_VERSION = 5
const DELETE_TOPICS_VERSION = 4
const LIST_OFFSETS_VERSION = 5
const OFFSET_FETCH_VERSION = 5
const PRODUCE_VERSION = 9
/** Of one request: a thousand topics are made in one, and their logs are synced. */
const TIMEOUT_MS = 60_000

type Request<K extends ServedApiKey> = InferInput<(typeof apiMessages)[K]['request']>
type Response<K extends ServedApiKey> = Infer<(typeof apiMessages)[K]['response']>

/** Returns when every partition has a leader that serves: some clients are slow, or send twice, when one has not. */
export async function createTopic(
  bootstrap: string,
  name: string,
  numPartitions: number,
): Promise<void> {
  const { topics } = await ask(bootstrap, ApiKey.CreateTopics, CREATE_TOPICS_VERSION, {
    topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  })
  if (topics[0].errorCode !== 0) throw new Error(`topic ${name}: error ${topics[0].errorCode}`)
  await waitFor(`leaders of ${name}`, () => hasLeaders(bootstrap, name, numPartitions))
}

/** Many topics in one request. */
export async function createTopics(
  bootstrap: string,
  names: readonly string[],
  numPartitions: number,
): Promise<void> {
  const { topics } = await ask(bootstrap, ApiKey.CreateTopics, CREATE_TOPICS_VERSION, {
    topics: names.map((name) => ({
      name,
      numPartitions,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })),
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  })
  const refused = topics.find(({ errorCode }) => errorCode !== 0)
  if (refused) throw new Error(`topic ${refused.name}: error ${refused.errorCode}`)
  await waitFor('the leader of the last topic', () => hasLeaders(bootstrap, names.at(-1)!, 1))
}

/** Where a group stands; -1 if it has no position. */
export async function committedOffset(
  bootstrap: string,
  groupId: string,
  name: string,
  partition: number,
): Promise<number> {
  const { topics } = await ask(bootstrap, ApiKey.OffsetFetch, OFFSET_FETCH_VERSION, {
    groupId,
    topics: [{ name, partitionIndexes: [partition] }],
  })
  const [{ committedOffset: offset, errorCode }] = topics[0].partitions
  if (errorCode !== 0) throw new Error(`position of ${groupId}: error ${errorCode}`)
  return offset
}

export interface ScramCredential {
  readonly mechanism: number
  readonly iterations: number
  readonly salt: Buffer
  readonly saltedPassword: Buffer
}

/** Sets the password of a user for one mechanism. */
export async function addScramUser(
  bootstrap: string,
  name: string,
  credential: ScramCredential,
): Promise<void> {
  const request = { deletions: [], upsertions: [{ name, ...credential }] }
  const { results } = await ask(bootstrap, ApiKey.AlterUserScramCredentials, 0, request)
  const [{ errorCode, errorMessage }] = results
  if (errorCode !== 0) throw new Error(`user ${name}: error ${errorCode} ${errorMessage}`)
}

export async function deleteTopic(bootstrap: string, name: string): Promise<void> {
  const { responses } = await ask(bootstrap, ApiKey.DeleteTopics, DELETE_TOPICS_VERSION, {
    topicNames: [name],
    timeoutMs: TIMEOUT_MS,
  })
  if (responses[0].errorCode !== 0) throw new Error(`topic ${name}: ${responses[0].errorCode}`)
}

async function hasLeaders(bootstrap: string, name: string, count: number): Promise<boolean> {
  const partitions = Array.from({ length: count }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: -1,
  }))
  const { topics } = await ask(bootstrap, ApiKey.ListOffsets, LIST_OFFSETS_VERSION, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions }],
  })
  return topics[0].partitions.every(({ errorCode }) => errorCode === 0)
}

/** Appends one batch to partition 0. */
export async function appendBatch(bootstrap: string, name: string, records: Buffer): Promise<void> {
  const { responses } = await ask(bootstrap, ApiKey.Produce, PRODUCE_VERSION, {
    transactionalId: null,
    acks: -1,
    timeoutMs: TIMEOUT_MS,
    topicData: [{ name, partitionData: [{ index: 0, records }] }],
  })
  const { errorCode } = responses[0].partitionResponses[0]
  if (errorCode !== 0) throw new Error(`${name}: produce error ${errorCode}`)
}

export interface StoredBatch {
  readonly codec: number
  readonly producerId: number
  readonly recordCount: number
}

/** The batches of a partition, as its segments have them. */
export function storedBatches(
  dataDirectory: string,
  topic: string,
  partition: number,
): readonly StoredBatch[] {
  const directory = join(dataDirectory, `${topic}-${partition}`)
  const segments = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return segments.sort().flatMap((name) => batchesOf(readFileSync(join(directory, name))))
}

function batchesOf(segment: Buffer): StoredBatch[] {
  const found: StoredBatch[] = []
  for (let at = 0; at < segment.length; ) {
    const size = nextBatchSize(segment, at)
    if (size === -1) break
    found.push({
      codec: batch.codec(segment, at),
      producerId: batch.producerId(segment, at),
      recordCount: batch.recordCount(segment, at),
    })
    at += size
  }
  return found
}

/** One request on a connection of its own. */
function ask<K extends ServedApiKey>(
  bootstrap: string,
  key: K,
  version: number,
  request: Request<K>,
): Promise<Response<K>> {
  const { request: requestSpec, response: responseSpec } = apiMessages[key]
  const header = { correlationId: 1, clientId: 'compat' }
  const [host, port] = bootstrap.split(':')
  const splitter = new FrameSplitter({ maxFrameBytes: 64 << 20 })
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), timeout: TIMEOUT_MS })
    socket.on('connect', () => {
      const frames = encodeRequest(requestSpec as never, version, header, request as never)
      socket.write(Buffer.concat(frames))
    })
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk)
      const frame = splitter.next()
      if (!frame) return
      const { value } = decodeResponse(responseSpec as never, version, frame)
      resolve(value as Response<K>)
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('timeout', () => socket.destroy(new Error(`no answer from ${bootstrap}`)))
    socket.on('close', () => reject(new Error(`${bootstrap} closed the connection`)))
  })
}

import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeDisk, systemClock, systemRandom } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { logConfigDefinition, LogManager, type Log } from '@millrace/log'
import { batch, BatchBuilder, codecOf, RecordCursor, type BatchFields } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { ApiKey } from '@millrace/wire'
import { findKafka, runTool, startKafka, type KafkaNode } from '../../peers/apache-kafka'
import { RawClient } from './harness'

/**
 * A log that a real Kafka wrote is compacted by us, audited by Kafka's own tool, and read by that Kafka again: both must
 * agree on every byte.
 */
const home = findKafka()
const describeOnKafka = 'missing' in home ? describe.skip : describe
const TOPIC = 'compacted'
const PARTITION = `${TOPIC}-0`
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const NO_LIMIT = { maxBytes: 1 << 24, maxOffsetExclusive: Infinity, minOneBatch: true }
const TEST_MAX_MS = 180_000

type Keyed = readonly [key: string, value: string | null]

describeOnKafka('a log of Apache Kafka that was compacted here', () => {
  let kafka: KafkaNode
  let directory: string
  const ours = () => join(directory, PARTITION)
  const theirs = () => join(kafka.dataDirectory, PARTITION)

  beforeAll(async () => {
    if ('missing' in home) return
    directory = mkdtempSync(join(tmpdir(), 'compacted-'))
    kafka = await startKafka(home, { heapMb: 256, properties: { 'log.cleaner.enable': 'false' } })
    await fill(kafka.port)
    await kafka.kill()
    cpSync(theirs(), ours(), { recursive: true })
  }, TEST_MAX_MS)

  afterAll(async () => {
    await kafka?.stop()
    if (directory) rmSync(directory, { recursive: true })
  })

  it(
    'passes the audit of its dump tool, and is read by it as by us',
    async () => {
      const kept = await compact(directory)
      const files = readdirSync(ours()).filter((name) =>
        /\.(log|index|timeindex|txnindex|snapshot)$/.test(name),
      )
      expect(files.some((name) => name.endsWith('.txnindex'))).toBe(true)
      const dumped = await dump(files.map((name) => join(ours(), name)))
      expect(dumped.complaints).toEqual([])
      expect(dumped.records).toEqual(kept.records)
      // Something was taken, and what must stay is there.
      expect(kept.records).toContain('k1=last')
      expect(kept.records.filter((record) => record.startsWith('k1='))).toHaveLength(1)
      expect(kept.records.some((record) => record.includes('aborted'))).toBe(false)

      rmSync(theirs(), { recursive: true })
      cpSync(ours(), theirs(), { recursive: true })
      await kafka.restart()
      expect(await fetchAll(kafka.port, kept.endOffset)).toEqual(kept.bytes)
    },
    TEST_MAX_MS,
  )
})

/** Batches of every codec, tombstones, an aborted and a committed transaction, each batch in a segment of its own. */
async function fill(port: number): Promise<void> {
  const client = await RawClient.open(port)
  const configs = Object.entries({ 'cleanup.policy': 'compact', 'segment.ms': '1' })
  const topic = {
    name: TOPIC,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: configs.map(([name, value]) => ({ name, value })),
  }
  await client.ask(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 30_000 })
  let timestamp = Date.now()
  const put = async (records: readonly Keyed[], codec = 'none', fields: BatchFields = {}) => {
    // Markers have the time of the broker: whatever comes next must be newer, or it does not roll.
    const made = keyedBatch(records, codec, (timestamp += 60_000), fields)
    await produce(client, made, fields.isTransactional ? 'txn' : null)
  }
  for (const codec of CODECS) {
    await put(
      [
        ['k1', codec],
        ['k2', codec],
        [`only-${codec}`, 'x'.repeat(300)],
      ],
      codec,
    )
  }
  await put([
    ['k2', null],
    ['gone', null],
  ])
  const producer = await beginTransaction(client)
  await put(
    [
      ['k1', 'aborted'],
      ['k3', 'aborted'],
    ],
    'none',
    { ...producer, baseSequence: 0, isTransactional: true },
  )
  await endTransaction(client, producer, false)
  await beginTransaction(client, producer)
  await put([['k3', 'committed']], 'lz4', { ...producer, baseSequence: 2, isTransactional: true })
  await endTransaction(client, producer, true)
  await put([['k1', 'last']], 'zstd')
  await put([['end', '1']])
  client.close()
}

async function produce(
  client: RawClient,
  records: Buffer,
  transactionalId: string | null,
): Promise<void> {
  const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }]
  for (;;) {
    const request = { transactionalId, acks: -1, timeoutMs: 10_000, topicData }
    const { responses } = await client.ask(ApiKey.Produce, 9, request)
    const { errorCode } = responses[0].partitionResponses[0]
    if (errorCode === 0) return
    // A topic that was just made may have no leader yet, and a transaction that just ended may still be ending.
    if (![3, 5, 6, 51].includes(errorCode)) throw new Error(`produce answers ${errorCode}`)
  }
}

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

async function beginTransaction(client: RawClient, known?: Producer): Promise<Producer> {
  await untilGood(() => client.ask(ApiKey.FindCoordinator, 3, { key: 'txn', keyType: 1 }))
  const init = { transactionalId: 'txn', transactionTimeoutMs: 60_000 }
  const made = known ?? (await untilGood(() => client.ask(ApiKey.InitProducerId, 2, init)))
  await untilGood(async () => {
    const { resultsByTopicV3AndBelow: results } = await client.ask(ApiKey.AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: 'txn',
      v3AndBelowProducerId: made.producerId,
      v3AndBelowProducerEpoch: made.producerEpoch,
      v3AndBelowTopics: [{ name: TOPIC, partitions: [0] }],
    })
    const [{ resultsByPartition }] = results
    return { errorCode: resultsByPartition[0].partitionErrorCode }
  })
  return { producerId: made.producerId, producerEpoch: made.producerEpoch }
}

async function endTransaction(
  client: RawClient,
  producer: Producer,
  committed: boolean,
): Promise<void> {
  const request = { transactionalId: 'txn', ...producer, committed }
  await untilGood(() => client.ask(ApiKey.EndTxn, 3, request))
}

/** Coordinators come up and transactions end in their own time. */
async function untilGood<Answer extends { errorCode: number }>(
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (let left = 300; ; left--) {
    const answer = await ask()
    if (answer.errorCode === 0) return answer
    if (left === 0) throw new Error(`still error ${answer.errorCode}`)
    await systemClock.sleep(50)
  }
}

function keyedBatch(
  records: readonly Keyed[],
  codec: string,
  timestamp: number,
  fields: BatchFields = {},
): Buffer {
  const builder = new BatchBuilder({ codec: codecOf(codec) })
  for (const [key, value] of records) {
    builder.append(timestamp, Buffer.from(key), value === null ? null : Buffer.from(value))
  }
  return builder.build(fields)
}

interface Kept {
  readonly bytes: Buffer
  /** `key=value`, without the markers. */
  readonly records: string[]
  readonly endOffset: number
}

async function compact(directory: string): Promise<Kept> {
  const topicConfigs = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }
  const config = parseConfig(logConfigDefinition, topicConfigs).config
  const manager = await LogManager.open(
    { disk: nodeDisk, clock: systemClock, logger: silentLogger, random: systemRandom },
    { directories: [directory], nodeId: 1, clusterId: 'c', configOf: () => config },
  )
  try {
    const log = manager.log(TOPIC, 0)!
    log.setHighWatermark(log.logEndOffset)
    expect(await manager.cleaner.cleanAll()).toBe(1)
    return keptIn(log)
  } finally {
    await manager.close()
  }
}

function keptIn(log: Log): Kept {
  const parts: Buffer[] = []
  for (let offset = 0; offset < log.logEndOffset; ) {
    const { records } = log.read(offset, NO_LIMIT)
    parts.push(Buffer.from(records))
    offset = endOf(records)
  }
  const bytes = Buffer.concat(parts)
  return {
    bytes,
    records: recordsOf(bytes),
    endOffset: log.logEndOffset,
  }
}

function endOf(records: Buffer): number {
  let end = 0
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
    end = batch.nextOffset(records, at)
  }
  return end
}

function recordsOf(bytes: Buffer): string[] {
  const found: string[] = []
  const cursor = new RecordCursor()
  for (let at = 0; at < bytes.length; at += batch.sizeBytes(bytes, at)) {
    if (batch.isControl(bytes, at)) continue
    for (cursor.open(bytes, at); cursor.next(); ) {
      found.push(`${String(cursor.key())}=${cursor.value()?.toString() ?? ''}`)
    }
  }
  return found
}

async function dump(
  files: readonly string[],
): Promise<{ complaints: string[]; records: string[] }> {
  if ('missing' in home) throw new Error(home.missing)
  const logs = files.toSorted()
  const args = ['--files', logs.join(','), '--print-data-log', '--deep-iteration']
  const { code, stdout, stderr } = await runTool(
    home,
    'org.apache.kafka.tools.DumpLogSegments',
    args,
  )
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const lines = stdout.split('\n')
  return {
    complaints: lines.filter((line) =>
      /mismatch|out of order|sanity|corrupt|exception|isvalid: false/i.test(line),
    ),
    records: lines.flatMap((line) => {
      const match = / key: (\S+)(?: payload: (.*))?$/.exec(line)
      return match === null ? [] : [`${match[1]}=${match[2] ?? ''}`]
    }),
  }
}

async function fetchAll(port: number, endOffset: number): Promise<Buffer> {
  const client = await RawClient.open(port)
  const parts: Buffer[] = []
  for (let offset = 0; offset < endOffset; ) {
    const partition = { partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 24 }
    const topics = [{ topic: TOPIC, partitions: [partition] }]
    const request = { maxWaitMs: 100, minBytes: 1, topics, forgottenTopicsData: [] }
    const { responses } = await client.ask(ApiKey.Fetch, 11, request)
    const records = responses[0]?.partitions[0].records
    // Until the restarted broker leads the partition it has nothing to say.
    if (!records?.length) continue
    parts.push(Buffer.from(records))
    offset = endOf(records)
  }
  client.close()
  return Buffer.concat(parts)
}

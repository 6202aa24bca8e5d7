import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OFFSETS_TOPIC } from '@millrace/coordinator'
import { BatchBuilder } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { ErrorCode } from '@millrace/wire'
import { parseBrokerConfig } from './config'
import { createCoordinatorLog } from './coordinator-log'
import { BrokerEngine } from './engine'

const ADDRESSES = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }]
const A_WEEK_AGO_MS = Date.now() - 8 * 24 * 3_600_000

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-engine-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(properties: Record<string, string> = {}): Promise<BrokerEngine> {
  const config = parseBrokerConfig({ 'log.dirs': join(directory, 'logs'), ...properties })
  return BrokerEngine.open({ logger: silentLogger }, config)
}

function anOldBatch(): Buffer {
  const builder = new BatchBuilder()
  builder.append(A_WEEK_AGO_MS, Buffer.from('k'), Buffer.from('v'))
  return builder.build()
}

describe('the engine', () => {
  it('LOG-6: cleans up no log by the defaults of the broker while it starts', async () => {
    const first = await open()
    await first.onBound(ADDRESSES)
    const { controller, replicas } = first.services
    const configs = { 'cleanup.policy': 'compact' }
    await controller.createTopic({ name: 'state', partitions: 1, replicationFactor: 1, configs })
    await replicas.whenApplied('state')
    const entries = [{ topic: 'state', partition: 0, records: anOldBatch() }]
    const [result] = await replicas.append({
      acks: -1,
      timeoutMs: 5000,
      origin: 'client',
      entries,
    })
    expect(result.errorCode).toBe(ErrorCode.NONE)
    await first.close()

    const second = await open({ 'log.retention.check.interval.ms': '1' })
    await new Promise((resolve) => setTimeout(resolve, 50)) // a slow start: the chores run already
    await second.onBound(ADDRESSES)
    const partition = second.services.replicas.partition('state', 0)!
    expect(partition.log).toMatchObject({ logStartOffset: 0, logEndOffset: 1 })
    await second.close()
  })
})

describe('the mark of a clean shutdown', () => {
  it('has the epoch of the registration that ends, as Kafka writes it', async () => {
    const epochs: number[] = []
    for (let run = 0; run < 2; run++) {
      const engine = await open()
      await engine.onBound(ADDRESSES)
      const { brokerEpoch } = engine.services.controller
      await engine.close()
      const content = readFileSync(join(directory, 'logs', '.kafka_cleanshutdown'), 'utf8')
      expect(content).toBe(`{"version":0,"brokerEpoch":${brokerEpoch}}`)
      epochs.push(brokerEpoch)
    }
    expect(epochs[1]).toBeGreaterThan(epochs[0])
    expect(epochs[0]).toBeGreaterThan(0)
  })
})

describe('the creation of a topic', () => {
  it('fails when its log cannot be created', async () => {
    const engine = await open()
    await engine.onBound(ADDRESSES)
    // A file in the place of the log's directory: no root gets past it.
    writeFileSync(join(directory, 'logs', 'blocked-0'), '')
    expect(await engine.services.topics.createAutomatically('blocked')).toBe(
      ErrorCode.KAFKA_STORAGE_ERROR,
    )
    await engine.close()
  })
})

describe('the log of the coordinators', () => {
  it('lets others have their turn before each portion', async () => {
    const engine = await open({ 'offsets.topic.num.partitions': '1' })
    await engine.onBound(ADDRESSES)
    const { replicas, topics } = engine.services
    await topics.createAutomatically(OFFSETS_TOPIC)
    const log = createCoordinatorLog(replicas)
    const turn = jest.fn()
    setImmediate(turn)
    await log.read(OFFSETS_TOPIC, 0, 0)
    expect(turn).toHaveBeenCalled()
    await engine.close()
  })
})

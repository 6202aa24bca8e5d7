import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Disk, nodeDisk } from '@millrace/base'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '@millrace/coordinator'
import { silentLogger } from '@millrace/telemetry'
import { ErrorCode, ZERO_UUID } from '@millrace/wire'
import { parseBrokerConfig } from './config'
import { BrokerEngine } from './engine'

/** A disk whose syncs of some files wait while it hangs. */
class HangingDisk {
  readonly disk: Disk = {
    ...nodeDisk,
    open: (path, mode) => {
      const file = nodeDisk.open(path, mode)
      const sync = file.sync.bind(file)
      file.sync = async () => {
        if (path.includes(this.#name)) await this.#gate
        return sync()
      }
      return file
    },
  }
  #name = ''
  #gate: Promise<void> | null = null

  /** Files with the name hang until the returned function is called. */
  hang(name: string): () => void {
    let goOn = () => {}
    this.#name = name
    this.#gate = new Promise((resolve) => (goOn = resolve))
    return goOn
  }
}

const disk = new HangingDisk()
let directory: string
let engine: BrokerEngine

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-hanging-'))
  engine = await open()
  for (const topic of [OFFSETS_TOPIC, TRANSACTIONS_TOPIC]) {
    await engine.services.topics.createAutomatically(topic)
  }
  await untilLoaded()
})
afterEach(async () => {
  await engine.close()
  rmSync(directory, { recursive: true, force: true })
})

async function open(): Promise<BrokerEngine> {
  const config = parseBrokerConfig({
    'log.dirs': directory,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.num.partitions': '1',
    'offsets.commit.timeout.ms': '100',
    'request.timeout.ms': '100',
  })
  const opened = await BrokerEngine.open({ logger: silentLogger, disk: disk.disk }, config)
  await opened.onBound([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }])
  return opened
}

/** Also a disk that is well may be late for once. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}

function untilLoaded(): Promise<void> {
  const { groups, transactions } = engine.services
  const all = { states: [], producerIds: [], minDurationMs: -1, matchesId: null }
  return until(
    () =>
      groups.listGroups({ statesFilter: [], typesFilter: [] }).errorCode === ErrorCode.NONE &&
      transactions.list(all).errorCode === ErrorCode.NONE,
  )
}

async function commit(committedOffset: number): Promise<number> {
  const partition = { partitionIndex: 0, committedLeaderEpoch: -1, committedMetadata: null }
  const request = {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [{ name: 't', topicId: ZERO_UUID, partitions: [{ ...partition, committedOffset }] }],
  }
  const { topics } = await engine.services.groups.offsetCommit(request, { apiVersion: 9 })
  return topics[0].partitions[0].errorCode
}

function committed(): number {
  const topics = [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }]
  const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics }]
  const request = { groupId: '', topics: [], groups, requireStable: false }
  const response = engine.services.groups.offsetFetch(request, { apiVersion: 9 })
  return response.groups![0].topics![0].partitions![0].committedOffset!
}

describe('a disk that hangs', () => {
  it('ACK-3, GROUP-4: delays commits, which are not acknowledged, and loses none', async () => {
    await until(async () => (await commit(1)) === ErrorCode.NONE)
    const goOn = disk.hang(OFFSETS_TOPIC)
    expect(await commit(2)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(await commit(3)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(committed()).toBe(1)
    goOn()
    await until(() => committed() === 3)
    await engine.close()
    engine = await open()
    await untilLoaded()
    expect(committed()).toBe(3)
  })

  it('TXN-1: delays a producer, whose epoch nobody else gets', async () => {
    const { transactions } = engine.services
    const init = () =>
      transactions.initProducerId({ transactionalId: 'x', timeoutMs: 1000, claim: null })
    await until(async () => (await init()).errorCode === ErrorCode.NONE)
    const epoch = transactions.describe('x').txn!.producerEpoch
    const goOn = disk.hang(TRANSACTIONS_TOPIC)
    expect(await init()).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE })
    expect(await init()).toMatchObject({ errorCode: ErrorCode.CONCURRENT_TRANSACTIONS })
    expect(transactions.describe('x').txn).toMatchObject({ producerEpoch: epoch })
    goOn()
    await until(() => transactions.describe('x').txn?.producerEpoch === epoch + 1)
    await until(async () => (await init()).errorCode === ErrorCode.NONE)
    expect(transactions.describe('x').txn!.producerEpoch).toBeGreaterThan(epoch + 1)
  })
})

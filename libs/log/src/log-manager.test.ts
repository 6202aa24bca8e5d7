import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { lockDirectory, newUuid, nodeDisk, systemClock, systemRandom } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { batch, BatchBuilder } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { logConfigDefinition, type LogConfig } from './config'
import { LogManager } from './log-manager'

const defaults = parseConfig(logConfigDefinition, {}).config
const ALL = { maxBytes: 1 << 20, maxOffsetExclusive: Infinity, minOneBatch: true }
const asClient = { leaderEpoch: 0, origin: 'client' } as const

function aBatch(...values: string[]): Buffer {
  const builder = new BatchBuilder()
  for (const value of values) builder.append(Date.now(), Buffer.from('k'), Buffer.from(value))
  return builder.build()
}

describe('LogManager on the real disk', () => {
  let directory: string
  beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'logs-'))))
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

  const open = (over: { clusterId?: string; config?: LogConfig; directories?: string[] } = {}) =>
    LogManager.open(
      {
        disk: nodeDisk,
        clock: systemClock,
        logger: silentLogger,
        random: systemRandom,
        lock: lockDirectory,
      },
      {
        directories: over.directories ?? [directory],
        nodeId: 1,
        clusterId: over.clusterId ?? 'cluster-a',
        configOf: () => over.config ?? defaults,
      },
    )
  const spec = { topic: 'orders', partition: 0, topicId: newUuid(systemRandom), config: defaults }

  it('gives back what was appended, also after a proper restart', async () => {
    let manager = await open()
    const log = await manager.createLog(spec)
    const first = log.append(aBatch('a', 'b'), asClient)
    expect(first).toMatchObject({ firstOffset: 0, lastOffset: 1, nextOffset: 2 })
    log.append(aBatch('c'), asClient)
    expect(log.flushedOffset).toBe(0)
    await log.flush()
    expect(log.flushedOffset).toBe(3)
    const before = log.read(0, ALL).records
    expect(batch.baseOffset(before, batch.sizeBytes(before, 0))).toBe(2)
    await manager.close()
    expect(fs.readdirSync(path.join(directory, 'orders-0'))).toEqual([
      '00000000000000000000.index',
      '00000000000000000000.log',
      '00000000000000000000.timeindex',
      '00000000000000000003.snapshot',
      'leader-epoch-checkpoint',
      'partition.metadata',
    ])
    manager = await open()
    const reopened = manager.log('orders', 0)!
    expect(reopened.topicId).toBe(spec.topicId)
    expect(reopened.logEndOffset).toBe(3)
    expect(reopened.read(0, ALL).records).toEqual(before)
    expect(reopened.append(aBatch('d'), asClient).firstOffset).toBe(3)
    await manager.close()
  })

  it('finds everything acknowledged in files that were never closed, and cuts a torn tail', async () => {
    const config = { ...defaults, segmentBytes: 20_000 }
    const manager = await open({ config })
    const log = await manager.createLog({ ...spec, config })
    for (let index = 0; index < 50; index++) log.append(aBatch('x'.repeat(1000)), asClient)
    await log.flush()
    const before = log.read(0, ALL).records
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'logs-'))
    fs.cpSync(directory, copy, { recursive: true })
    await manager.close()
    fs.rmSync(directory, { recursive: true })
    fs.renameSync(copy, directory)
    const partition = path.join(directory, 'orders-0')
    const newest = fs.readdirSync(partition).filter((name) => name.endsWith('.log'))
    fs.appendFileSync(path.join(partition, newest.at(-1)!), Buffer.alloc(700, 3))
    const again = await open({ config })
    const reopened = again.log('orders', 0)!
    expect(reopened.logEndOffset).toBe(50)
    expect(reopened.failure).toBeNull()
    expect(reopened.read(0, ALL).records).toEqual(
      before.subarray(0, reopened.read(0, ALL).sizeBytes),
    )
    await again.close()
  })

  it('makes one log of two calls for the same partition, and refuses another topic id', async () => {
    const manager = await open()
    const [first, second] = await Promise.all([manager.createLog(spec), manager.createLog(spec)])
    expect(second).toBe(first)
    await expect(
      manager.createLog({ ...spec, topicId: newUuid(systemRandom) }),
    ).rejects.toMatchObject({ code: 'LOG_EXISTS' })
    await manager.close()
  })

  it('refuses a second process on the same directory', async () => {
    const manager = await open()
    await expect(open()).rejects.toMatchObject({ code: 'LOG_DIRECTORY_LOCKED' })
    await manager.close()
  })

  it('refuses to choose between two logs of one partition', async () => {
    const [one, two] = ['one', 'two'].map((name) => path.join(directory, name))
    for (const directories of [[one], [two]]) {
      const manager = await open({ directories })
      await manager.createLog(spec)
      await manager.close()
    }
    await expect(open({ directories: [one, two] })).rejects.toMatchObject({
      code: 'LOG_IN_TWO_DIRECTORIES',
    })
    await (await open({ directories: [two] })).close()
  })

  it('refuses a directory of another cluster', async () => {
    await (await open()).close()
    await expect(open({ clusterId: 'cluster-b' })).rejects.toMatchObject({
      code: 'LOG_DIRECTORY_FOREIGN',
      message: expect.stringContaining('cluster.id cluster-a, not cluster-b') as string,
    })
    await (await open()).close()
  })

  it('forgets a deleted log and starts a new one of the same name from zero', async () => {
    const manager = await open()
    const log = await manager.createLog({ ...spec, config: { ...defaults, fileDeleteDelayMs: 0 } })
    log.append(aBatch('a'), asClient)
    await log.flush()
    await manager.checkpoint()
    await manager.deleteLog('orders', 0)
    expect(manager.log('orders', 0)).toBeUndefined()
    expect(() => log.append(aBatch('b'), asClient)).toThrow(/is closed/)
    const again = await manager.createLog({ ...spec, topicId: newUuid(systemRandom) })
    expect(again.logEndOffset).toBe(0)
    expect(again.failure).toBeNull()
    await manager.close()
  })

  it('deletes a log whose name has no room for the mark of a deleted one', async () => {
    const manager = await open()
    const topic = 't'.repeat(249)
    await manager.createLog({ ...spec, topic })
    await manager.deleteLog(topic, 0)
    const names = fs.readdirSync(directory)
    expect(names.filter((name) => name.startsWith('tt'))).toEqual([
      expect.stringMatching(/-delete$/),
    ])
    await manager.close()
    await (await open()).close()
    expect(fs.readdirSync(directory).filter((name) => name.startsWith('tt'))).toEqual([])
  })
})

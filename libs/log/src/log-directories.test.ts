import { errorCode } from '@millrace/base'
import { crashEndings, SimDisk, SimRandom, type DiskOperation } from '@millrace/testing'
import type { LogConfig } from './config'
import type { Log } from './log'
import type { LogManager } from './log-manager'
import {
  aBatch,
  CLIENT,
  DEFAULT_CONFIG,
  DEFAULT_MANAGER_CONFIG,
  NO_LIMIT,
  openManager,
  readAll,
  TOPIC_ID,
  tick,
} from './testing/log-fixture'

const DIRECTORIES = ['/a', '/b']
const SMALL: Partial<LogConfig> = { segmentBytes: 1000, indexIntervalBytes: 200 }
const code = (name: string) => expect.objectContaining({ code: name }) as Error
const broken = Object.assign(new Error('input/output error'), { code: 'EIO' })

const open = (options: Parameters<typeof openManager>[0] = {}) =>
  openManager({ directories: DIRECTORIES, config: SMALL, ...options })

function create(manager: LogManager, partition: number, fields: { isNew?: boolean } = {}) {
  const config = { ...DEFAULT_CONFIG, ...SMALL }
  return manager.createLog({ topic: 'orders', partition, topicId: TOPIC_ID, config, ...fields })
}

async function append(log: Log, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    log.append(aBatch({ values: [`${log.logEndOffset}`.padEnd(200, '.')] }), CLIENT)
  }
  await log.flush()
  log.setHighWatermark(log.flushedOffset)
}

/** For a moment at the end of a move producers have to come again, as at a change of the leader. */
function appendUnlessHeld(log: Log): void {
  try {
    log.append(aBatch({ values: [`${log.logEndOffset}`.padEnd(200, '.')] }), CLIENT)
  } catch (error) {
    if (errorCode(error) !== 'LOG_CLOSED') throw error
  }
}

const offsetsOf = (log: Log) => readAll(log).map(([offset]) => offset)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)
const isIn = (directory: string, { path }: DiskOperation) => path.startsWith(directory)

async function settle(turns = 200): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await tick()
}

describe('several log directories', () => {
  it('get new logs where there are the fewest, and find them again', async () => {
    const { manager, disk, clock } = await open()
    for (let partition = 0; partition < 4; partition++) {
      await append(await create(manager, partition), 1)
    }
    const places = [...manager.logs()].map(({ directory }) => directory)
    expect(places.sort()).toEqual(['/a/orders-0', '/a/orders-2', '/b/orders-1', '/b/orders-3'])
    await manager.close()
    const again = await open({ disk, clock })
    expect([...again.manager.logs()].map((log) => log.logEndOffset)).toEqual([1, 1, 1, 1])
  })

  it('LOG-4: one that fails takes its own logs offline and no other, until all have failed', async () => {
    let failed = 0
    const { manager, disk } = await open({ onAllFailed: () => failed++ })
    const [inA, inB] = [await create(manager, 0), await create(manager, 1)]
    await append(inA, 1)
    disk.options = { onOperation: (operation) => (isIn('/a', operation) ? broken : null) }
    inA.append(aBatch(), CLIENT)
    await expect(inA.flush()).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    await append(inB, 1)
    expect(inB.flushedOffset).toBe(1)
    expect((await create(manager, 2, { isNew: true })).directory).toBe('/b/orders-2')
    expect(failed).toBe(0)
    expect(manager.offlineDirectories).toEqual(['/a'])
    const described = await manager.describeDirectories()
    expect(described.map(({ failure }) => failure)).toEqual([broken.message, null])
    expect(described[0]).toMatchObject({ totalBytes: -1, usableBytes: -1, logs: [] })
    disk.options = { onOperation: () => broken }
    await expect(append(inB, 1)).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    expect(failed).toBe(1)
    await expect(create(manager, 3, { isNew: true })).rejects.toMatchObject({
      code: 'LOG_STORAGE_FAILED',
    })
  })

  it('start without one that cannot be used, and make no second log of what may be in it', async () => {
    const { manager, disk, clock } = await open()
    await append(await create(manager, 0), 2)
    await append(await create(manager, 1), 2)
    await manager.close()
    disk.options = { onOperation: (operation) => (isIn('/a', operation) ? broken : null) }
    const without = await open({ disk, clock })
    expect(without.manager.offlineDirectories).toEqual(['/a'])
    expect(without.manager.log('orders', 0)).toBeUndefined()
    expect(without.manager.log('orders', 1)?.logEndOffset).toBe(2)
    await expect(create(without.manager, 0)).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    expect((await create(without.manager, 5, { isNew: true })).directory).toBe('/b/orders-5')
    await without.manager.close()
    disk.options = {}
    const again = await open({ disk, clock })
    expect(again.manager.log('orders', 0)?.logEndOffset).toBe(2)
  })

  it('do not start if none can be used', async () => {
    const disk = new SimDisk({ onOperation: () => broken })
    await expect(open({ disk })).rejects.toMatchObject({ code: 'LOG_DIRECTORY_UNWRITABLE' })
  })

  it('tell what lies in them and how much room there is', async () => {
    const { manager, disk } = await open()
    await append(await create(manager, 0), 3)
    disk.options = { capacityBytes: 100_000 }
    const [a, b] = await manager.describeDirectories()
    expect(a).toEqual({
      path: '/a',
      failure: null,
      totalBytes: 100_000,
      usableBytes: 100_000 - disk.usedBytes,
      logs: [
        {
          topic: 'orders',
          partition: 0,
          topicId: TOPIC_ID,
          sizeBytes: manager.log('orders', 0)!.sizeBytes,
          offsetLag: 0,
          isFuture: false,
        },
      ],
    })
    expect(b.logs).toEqual([])
  })

  it('delete a log on a full disk, and let a new one of its name know nothing of it', async () => {
    const { manager, disk, clock } = await open({ directories: ['/a'] })
    await append(await create(manager, 0), 5)
    await manager.checkpoint()
    disk.options = { capacityBytes: disk.usedBytes }
    await manager.deleteLog('orders', 0)
    await expect(create(manager, 0)).rejects.toMatchObject({ code: 'LOG_DISK_FULL' })
    disk.options = {}
    const log = await create(manager, 0)
    expect(log.logEndOffset).toBe(0)
    const after = await open({ disk: disk.crash(new SimRandom(3)), clock, directories: ['/a'] })
    const found = after.manager.log('orders', 0)!
    expect(found.failure).toBeNull()
    expect(found.logEndOffset).toBe(0)
  })
})

describe('moveLog', () => {
  it('brings a log to another directory beside appends, reads and producers', async () => {
    const { manager, disk, clock } = await open()
    const log = await create(manager, 0)
    log.append(aBatch({ producerId: 7, producerEpoch: 0, baseSequence: 0 }), CLIENT)
    await append(log, 20)
    await manager.moveLog('orders', 0, '/b')
    const underWay = await manager.describeDirectories()
    expect(underWay[1].logs).toMatchObject([{ partition: 0, isFuture: true }])
    let flushed = 0
    log.onFlushed = () => flushed++
    for (let turn = 0; turn < 400 && log.directory !== '/b/orders-0'; turn++) {
      if (turn < 30) {
        appendUnlessHeld(log)
        log.setHighWatermark(log.flushedOffset)
      }
      expect(log.read(0, NO_LIMIT).records.length).toBeGreaterThan(0)
      await tick()
    }
    expect(log.directory).toBe('/b/orders-0')
    await append(log, 3)
    expect(flushed).toBeGreaterThan(0)
    const count = log.logEndOffset
    expect(offsetsOf(log)).toEqual(upTo(count))
    const retry = aBatch({ producerId: 7, producerEpoch: 0, baseSequence: 0 })
    expect(log.append(retry, CLIENT)).toMatchObject({ isDuplicate: true, firstOffset: 0 })
    await clock.advance(DEFAULT_CONFIG.fileDeleteDelayMs)
    expect((await disk.list('/a')).filter((name) => name.startsWith('orders'))).toEqual([])
    expect(await disk.list('/b/orders-0')).not.toContain('moved-here')
    await manager.close()
    const again = await open({ disk, clock })
    expect(offsetsOf(again.manager.log('orders', 0)!)).toEqual(upTo(count))
    expect(again.manager.log('orders', 0)!.latestEpoch()).toBe(0)
  })

  it('refuses an unknown directory, and remembers where a log is to be that does not exist', async () => {
    const { manager } = await open()
    await create(manager, 9)
    await expect(manager.moveLog('orders', 9, '/c')).rejects.toThrow(code('LOG_DIRECTORY_UNKNOWN'))
    await expect(manager.moveLog('orders', 0, '/a')).rejects.toThrow(code('LOG_NOT_FOUND'))
    expect((await create(manager, 0)).directory).toBe('/a/orders-0')
  })

  it('leaves the log where it is if the other directory fails', async () => {
    const { manager, disk } = await open()
    const log = await create(manager, 0)
    await append(log, 20)
    const failed: string[] = []
    for (const kind of ['write', 'sync', 'rename'] as const) {
      await manager.moveLog('orders', 0, '/b')
      disk.options = {
        onOperation: (operation) =>
          operation.kind === kind && operation.path.includes('-future') ? broken : null,
      }
      await settle()
      disk.options = {}
      expect(log.directory).toBe('/a/orders-0')
      await append(log, 1)
      failed.push(kind)
    }
    expect(offsetsOf(log)).toEqual(upTo(20 + failed.length))
    expect((await disk.list('/b')).filter((name) => name.startsWith('orders'))).toEqual([])
  })

  it('takes nothing out of a directory that has failed, nor into one that fails meanwhile', async () => {
    const { manager, disk } = await open()
    const [inA, inB] = [await create(manager, 0), await create(manager, 1)]
    await append(inA, 20)
    await manager.moveLog('orders', 0, '/b')
    // Another log finds out; the move itself meets no error.
    const isOfOther = (operation: DiskOperation) => isIn('/b/orders-1', operation)
    disk.options = { onOperation: (operation) => (isOfOther(operation) ? broken : null) }
    await expect(append(inB, 1)).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    await settle()
    expect(inA.directory).toBe('/a/orders-0')
    await append(inA, 1)
    await expect(manager.moveLog('orders', 1, '/a')).rejects.toThrow(code('LOG_STORAGE_FAILED'))
    expect(inB.directory).toBe('/b/orders-1')
  })

  it.each(['/b', '/a'])(
    'LOG-12: leaves no second copy if %s fails between the two renames',
    async (failing) => {
      for (let seed = 1; seed <= 8; seed++) {
        const { manager, disk, clock } = await open()
        const log = await create(manager, 0)
        await append(log, 20)
        let isRenamed = false
        disk.options = {
          onOperation: ({ kind, path }) => {
            if (kind === 'rename' && path.endsWith('-future')) isRenamed = true
            return isRenamed && kind === 'syncDirectory' && path === failing ? broken : null
          },
        }
        await manager.moveLog('orders', 0, '/b')
        await settle()
        expect(isRenamed).toBe(true)
        disk.options = {}
        if (!log.isOffline) await append(log, 3)
        const again = await open({ disk: disk.crash(new SimRandom(seed)), clock })
        const found = again.manager.log('orders', 0)!
        expect(found.failure).toBeNull()
        expect(offsetsOf(found)).toEqual(upTo(log.flushedOffset))
      }
    },
  )

  it('ends when somebody wants the log to stay, or deletes it', async () => {
    const { manager, disk } = await open()
    const log = await create(manager, 0)
    await append(log, 20)
    await manager.moveLog('orders', 0, '/b')
    await manager.moveLog('orders', 0, '/a')
    await append(log, 1)
    expect(log.directory).toBe('/a/orders-0')
    await manager.moveLog('orders', 0, '/b')
    await manager.deleteLog('orders', 0)
    await settle()
    const names = [...(await disk.list('/a')), ...(await disk.list('/b'))]
    expect(names.filter((name) => /^orders-0($|.*-future$)/.test(name))).toEqual([])
  })

  it('keeps to replica.alter.log.dirs.io.max.bytes.per.second', async () => {
    const { manager, clock } = await open()
    manager.updateConfig({ ...DEFAULT_MANAGER_CONFIG, moveMaxBytesPerSecond: 1000 })
    const log = await create(manager, 0)
    await append(log, 20)
    const sizeBytes = log.sizeBytes
    await manager.moveLog('orders', 0, '/b')
    await clock.advance(2000)
    const [, { logs }] = await manager.describeDirectories()
    expect(logs[0].sizeBytes).toBeGreaterThan(0)
    expect(logs[0].sizeBytes).toBeLessThan(sizeBytes)
    expect(logs[0].offsetLag).toBeGreaterThan(0)
    for (let second = 0; second < 30; second++) {
      await clock.advance(1000)
      await settle(10)
    }
    expect(log.directory).toBe('/b/orders-0')
  })

  it('copies as many logs at once as num.replica.alter.log.dirs.threads says, and the others after them', async () => {
    const { manager, disk, clock } = await open({
      managerConfig: { moveConcurrency: 1, moveMaxBytesPerSecond: 1000 },
    })
    for (const partition of [0, 1, 2, 3, 4]) await append(await create(manager, partition), 10)
    for (const partition of [0, 2, 4]) await manager.moveLog('orders', partition, '/b')
    const copied = async () => {
      const [, { logs }] = await manager.describeDirectories()
      const moving = logs.filter(({ isFuture }) => isFuture)
      return moving.map(({ partition, sizeBytes }) => [partition, sizeBytes > 0])
    }
    await settle(50)
    expect(await copied()).toEqual([
      [0, true],
      [2, false],
      [4, false],
    ])
    await manager.moveLog('orders', 2, '/a') // one that waits gives its place to the next
    const untilMoved = async (partition: number) => {
      const log = manager.log('orders', partition)!
      for (let second = 0; second < 30 && log.directory.startsWith('/a'); second++) {
        await clock.advance(1000)
        await settle(50)
      }
    }
    await untilMoved(0)
    expect(await copied()).toEqual([[4, true]])
    await untilMoved(4)
    expect([0, 2, 4].map((partition) => manager.log('orders', partition)!.directory)).toEqual([
      '/b/orders-0',
      '/a/orders-2',
      '/b/orders-4',
    ])
    expect((await disk.list('/b')).filter((name) => name.endsWith('-future'))).toEqual([])
  })

  it('goes on after a proper restart', async () => {
    const { manager, disk, clock } = await open()
    await append(await create(manager, 0), 20)
    await manager.moveLog('orders', 0, '/b')
    await manager.close()
    const again = await open({ disk, clock })
    const found = again.manager.log('orders', 0)!
    expect(found.directory).toBe('/a/orders-0')
    await settle()
    expect(found.directory).toBe('/b/orders-0')
    expect(offsetsOf(found)).toEqual(upTo(20))
  })

  it('goes on after a crash', async () => {
    const { manager, disk, clock } = await open()
    const log = await create(manager, 0)
    await append(log, 20)
    await manager.moveLog('orders', 0, '/b')
    await tick()
    await disk.syncDirectory('/b')
    const again = await open({ disk: disk.crash(new SimRandom(1)), clock })
    const found = again.manager.log('orders', 0)!
    expect(found.directory).toBe('/a/orders-0')
    await settle()
    expect(found.directory).toBe('/b/orders-0')
    expect(offsetsOf(found)).toEqual(upTo(20))
  })

  it.each(crashEndings)(
    'LOG-12: leaves exactly one whole log, wherever $name comes',
    async ({ end }) => {
      const { disk } = await moveAll(new SimDisk())
      const total = disk.operationCount
      for (let powerOffAt = 1; powerOffAt <= total; powerOffAt++) {
        const before = await moveAll(new SimDisk({ powerOffAt }))
        const survivor = end(before.disk, new SimRandom(powerOffAt))
        const { manager } = await open({ disk: survivor })
        const logs = [...manager.logs()]
        const label = `ended at ${powerOffAt}`
        expect({ label, failures: logs.map(({ failure }) => failure) }).toEqual({
          label,
          failures: logs.map(() => null),
        })
        expect(logs.map((log) => log.logEndOffset >= before.acked)).toEqual(logs.map(() => true))
        expect(logs.length).toBeGreaterThanOrEqual(before.acked > 0 ? 1 : 0)
        for (const log of logs) expect(offsetsOf(log)).toEqual(upTo(log.logEndOffset))
        // What was moving goes on.
        await settle(100)
        await manager.close()
      }
    },
    60_000,
  )
})

/** Appends, a move with appends beside it, more appends. Stops where the disk fails. */
async function moveAll(disk: SimDisk): Promise<{ disk: SimDisk; acked: number }> {
  const outcome = { disk, acked: 0 }
  try {
    const { manager } = await open({ disk })
    const log = await create(manager, 0)
    await append(log, 8)
    outcome.acked = log.flushedOffset
    await manager.moveLog('orders', 0, '/b')
    for (let turn = 0; turn < 100 && log.directory !== '/b/orders-0'; turn++) {
      if (turn < 10) appendUnlessHeld(log)
      await tick()
      outcome.acked = log.flushedOffset
    }
    await append(log, 2)
    outcome.acked = log.flushedOffset
  } catch (error) {
    if (disk.options.powerOffAt === undefined) throw error
  }
  return outcome
}

import { parseConfig } from '@millrace/config'
import type { DiskOperation } from '@millrace/testing'
import type { Log } from '../log'
import { COMPACTED, openCompacted, put, settleLog, shown } from '../testing/compaction-fixture'
import { crashAndReopen, DEFAULT_CONFIG, TOPIC_ID, type Harness } from '../testing/log-fixture'
import { cleanerConfigDefinition } from './cleaner-config'

const CLEANER_CONFIG = parseConfig(cleanerConfigDefinition, {}).config

/** A log of which a part will go, in several segments. */
async function openDirty(): Promise<Harness & { log: Log }> {
  const harness = await openCompacted({ segmentBytes: 300 })
  const { log } = harness
  for (let round = 0; round < 4; round++) put(log, ['a', `${round}`], [`k${round}`, '1'])
  await settleLog(log)
  return harness
}
const ALL = ['0:a=0', '1:k0=1', '2:a=1', '3:k1=1', '4:a=2', '5:k2=1', '6:a=3', '7:k3=1']
const COMPACT = ['1:k0=1', '3:k1=1', '5:k2=1', '6:a=3', '7:k3=1']

/** Starts a cleaning, lets it write something, and then waits until `finish` is called. */
async function startCleaning(harness: Harness): Promise<{ finish: () => Promise<void> }> {
  const { manager, clock, disk } = harness
  manager.cleaner.updateConfig({ ...CLEANER_CONFIG, cleanerIoMaxBytesPerSecond: 100 })
  let isDone = false
  const cleaned = manager.cleaner.cleanAll().then(() => (isDone = true))
  while (disk.usedBytesOf('.log.cleaned') === 0) await clock.advance(100)
  const finish = async () => {
    while (!isDone) await clock.advance(1000)
    await cleaned
    manager.cleaner.updateConfig(CLEANER_CONFIG)
  }
  return { finish }
}

async function cleanedFiles({ disk }: Harness, log: Log): Promise<string[]> {
  return (await disk.list(log.directory)).filter((name) => /\.(cleaned|swap)$/.test(name))
}

describe('compaction beside other work', () => {
  it('takes appends meanwhile', async () => {
    const harness = await openDirty()
    const { finish } = await startCleaning(harness)
    put(harness.log, ['a', 'new'])
    await finish()
    expect(shown(harness.log)).toEqual([...COMPACT, '9:a=new'])
  })

  it('gives up if the log is cut back meanwhile, and starts over with what is left', async () => {
    const harness = await openDirty()
    const { log, manager } = harness
    const { finish } = await startCleaning(harness)
    await log.truncateTo(2)
    put(log, ['b', '1'])
    await finish()
    expect(shown(log)).toEqual(['0:a=0', '1:k0=1', '2:b=1'])
    expect(await cleanedFiles(harness, log)).toEqual([])
    expect(log.cleanedOffset).toBeLessThanOrEqual(2)
    await settleLog(log)
    await manager.cleaner.cleanAll()
    expect(shown(log)).toEqual(['0:a=0', '1:k0=1', '2:b=1'])
  })

  it('gives up if a segment is deleted meanwhile, and starts over with the rest', async () => {
    const harness = await openDirty()
    const { log } = harness
    const { finish } = await startCleaning(harness)
    await log.deleteRecordsBefore(3)
    await finish()
    expect(log.failure).toBeNull()
    expect(shown(log)).toEqual(COMPACT.slice(1))
    expect(await cleanedFiles(harness, log)).toEqual([])
  })

  it('gives up if the topic is not to be compacted any more', async () => {
    const harness = await openDirty()
    const { log } = harness
    const { finish } = await startCleaning(harness)
    log.updateConfig({ ...log.config, cleanupPolicy: ['delete'] })
    await finish()
    expect(shown(log)).toEqual(ALL)
    expect(await cleanedFiles(harness, log)).toEqual([])
  })

  it('leaves nothing in the directory of a new log when the topic is deleted and made again', async () => {
    const harness = await openDirty()
    const { finish } = await startCleaning(harness)
    const { manager, log } = harness
    await manager.deleteLog('orders', 0)
    const config = { ...DEFAULT_CONFIG, ...COMPACTED }
    const made = await manager.createLog({
      topic: 'orders',
      partition: 0,
      topicId: TOPIC_ID,
      config,
    })
    await finish()
    expect(await cleanedFiles(harness, log)).toEqual([])
    put(made, ['a', '1'])
    put(made, ['a', '2'])
    await settleLog(made)
    expect(await manager.cleaner.cleanAll()).toBe(1)
    expect(shown(made)).toEqual(['1:a=2'])
  })

  it('ends with the manager', async () => {
    const harness = await openDirty()
    const { finish } = await startCleaning(harness)
    await harness.manager.close()
    await finish()
    expect(await cleanedFiles(harness, harness.log)).toEqual([])
  })

  it('leaves a log alone that somebody has paused it for', async () => {
    const { manager, log } = await openDirty()
    const first = await manager.cleaner.pause(log)
    const second = await manager.cleaner.pause(log)
    first()
    first()
    expect(await manager.cleaner.cleanAll()).toBe(0)
    second()
    expect(await manager.cleaner.cleanAll()).toBe(1)
  })

  it('lets a read of the old files end that began before the swap', async () => {
    const { log, manager } = await openDirty()
    const before = log.segments
    await manager.cleaner.cleanAll()
    expect(log.segments).not.toEqual(before)
    expect(shown(log)).toEqual(COMPACT)
  })

  it('reads from the files that go while the swap is under way', async () => {
    const { log, manager, disk } = await openDirty()
    const seen = new Set<string>()
    disk.options = {
      onOperation: ({ kind }) => {
        if (kind !== 'rename' && kind !== 'syncDirectory') return null
        const { options } = disk
        disk.options = {}
        seen.add(shown(log).join())
        disk.options = options
        return null
      },
    }
    await manager.cleaner.cleanAll()
    expect([...seen].every((each) => each.endsWith('6:a=3,7:k3=1'))).toBe(true)
    expect(seen.has(ALL.join())).toBe(true)
    expect(shown(log)).toEqual(COMPACT)
  })

  it('waits between reads and writes as log.cleaner.io.max.bytes.per.second says', async () => {
    const harness = await openDirty()
    const startedMs = harness.clock.now()
    const { finish } = await startCleaning(harness)
    await finish()
    expect(shown(harness.log)).toEqual(COMPACT)
    expect(harness.clock.now() - startedMs).toBeGreaterThan(10_000)
  })
})

describe('compaction of a damaged log or disk', () => {
  it('COMPACT-5: copies no damage, and leaves the log as it is', async () => {
    const { log, manager, disk } = await openDirty()
    const file = disk.open(`${log.directory}/00000000000000000002.log`, 'append')
    file.writev([Buffer.from([0xff])], 70)
    expect(await manager.cleaner.cleanAll()).toBe(1)
    const [{ log: left, dirtyBytes }] = manager.cleaner.uncleanable()
    expect(left).toBe(log)
    expect(dirtyBytes).toBeGreaterThan(0)
    expect(log.cleanedOffset).toBe(-1)
    expect(log.failure).toBeNull()
    put(log, ['a', 'goes on'])
  })

  it('waits for room on a full disk', async () => {
    const harness = await openDirty()
    const { log, manager, disk } = harness
    disk.options = { capacityBytes: disk.usedBytes + 10 }
    expect(await manager.cleaner.cleanAll()).toBe(1)
    expect(shown(log)).toEqual(ALL)
    expect(await cleanedFiles(harness, log)).toEqual([])
    expect(log.failure).toBeNull()
    disk.options = {}
    await harness.clock.advance(0)
    manager.cleaner.start()
    await harness.clock.advance(CLEANER_CONFIG.cleanerBackoffMs)
    await harness.clock.advance(CLEANER_CONFIG.cleanerBackoffMs)
    while (log.cleanedOffset < 0) await new Promise(setImmediate)
    expect(shown(log)).toEqual(COMPACT)
    await manager.close()
  })

  it('leaves a swap to the next start that stopped half-way for want of room', async () => {
    const harness = await openDirty()
    const { log, manager, disk } = harness
    const noRoom = Object.assign(new Error('ENOSPC: no room'), { code: 'ENOSPC' })
    disk.options = {
      onOperation: ({ kind, path }) =>
        kind === 'rename' && path.endsWith('00.log.swap') ? noRoom : null,
    }
    await manager.cleaner.cleanAll()
    expect(log.failure).toMatchObject({ code: 'LOG_STORAGE_FAILED' })
    disk.options = {}
    const reopened = await crashAndReopen(harness, { config: { ...COMPACTED, segmentBytes: 300 } })
    expect(reopened.log.failure).toBeNull()
    expect(shown(reopened.log).slice(-2)).toEqual(COMPACT.slice(-2))
    expect(await cleanedFiles(reopened, reopened.log)).toEqual([])
  })

  it('tries again later if there was no room for the swap itself', async () => {
    const harness = await openDirty()
    const { log, manager, disk } = harness
    const noRoom = Object.assign(new Error('ENOSPC: no room'), { code: 'ENOSPC' })
    disk.options = {
      onOperation: ({ kind, path }) =>
        kind === 'rename' && path.endsWith('.index.cleaned') ? noRoom : null,
    }
    await manager.cleaner.cleanAll()
    expect(log.failure).toBeNull()
    expect(manager.cleaner.uncleanable()).toEqual([])
    expect(await cleanedFiles(harness, log)).toEqual([])
    expect(shown(log)).toEqual(ALL)
  })

  it('takes the directory offline if it cannot be read or written', async () => {
    const { log, manager, disk } = await openDirty()
    disk.options = { onOperation: failOn((operation) => operation.path.endsWith('.log.cleaned')) }
    await manager.cleaner.cleanAll()
    expect(log.failure).toMatchObject({ code: 'LOG_STORAGE_FAILED' })
  })

  it('opens a directory as it was although the checkpoint of the cleaner says more', async () => {
    const harness = await openDirty()
    harness.log.cleanedOffset = 1000
    await harness.manager.cleaner.cleanAll()
    expect(shown(harness.log)).toEqual(COMPACT)
  })

  it('removes at the start what a compaction left behind', async () => {
    const harness = await openDirty()
    const { log, disk } = harness
    for (const name of ['00000000000000000000.log.cleaned', '00000000000000000000.index.swap']) {
      await disk.replaceFile(`${log.directory}/${name}`, 'left')
    }
    const reopened = await crashAndReopen(harness, { config: { ...COMPACTED, segmentBytes: 300 } })
    expect(await cleanedFiles(reopened, reopened.log)).toEqual([])
    expect(shown(reopened.log)).toEqual(ALL)
  })
})

function failOn(isHit: (operation: DiskOperation) => boolean) {
  return (operation: DiskOperation): Error | null =>
    operation.kind === 'write' && isHit(operation)
      ? Object.assign(new Error('EIO: it broke'), { code: 'EIO' })
      : null
}

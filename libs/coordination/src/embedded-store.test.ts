import { silentLogger } from '@millrace/telemetry'
import * as fc from 'fast-check'
import { EmbeddedStore } from './embedded-store'
import type { Operation, Store, Transaction, WatchEvent } from './store'
import { MemoryDisk } from './testing/memory-disk'

const JOURNAL = '/meta/journal'
const SNAPSHOT = '/meta/snapshot'

function open(disk: MemoryDisk, journalMaxBytes = 1 << 20): Promise<EmbeddedStore> {
  return EmbeddedStore.open({ disk, logger: silentLogger }, { directory: '/meta', journalMaxBytes })
}
const put = (key: string, value: string): Operation => ({ type: 'put', key, value })
const remove = (key: string): Operation => ({ type: 'delete', key })
async function dump(store: Store): Promise<Record<string, string>> {
  const { items } = await store.range('')
  return Object.fromEntries(items.map((item) => [item.key, item.value]))
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('transactions', () => {
  it('count one global revision and three numbers per key', async () => {
    const store = await open(new MemoryDisk())
    await store.txn({ success: [put('a', '1')] })
    await store.txn({ success: [put('b', '1')] })
    const result = await store.txn({ success: [put('a', '2')] })
    expect(result).toEqual({ succeeded: true, revision: 3 })
    const item = { key: 'a', value: '2', createRevision: 1, modRevision: 3, version: 2 }
    expect(await store.get('a')).toEqual(item)
    expect((await store.range('b')).revision).toBe(3)
    await store.txn({ success: [remove('a')] })
    await store.txn({ success: [put('a', '3')] })
    expect(await store.get('a')).toMatchObject({ createRevision: 5, version: 1 })
  })

  it('run `success` only if every comparison holds, else `failure`', async () => {
    const store = await open(new MemoryDisk())
    const absent: Transaction['compare'] = [{ key: 'a', target: 'version', equals: 0 }]
    expect(await store.txn({ compare: absent, success: [put('a', '1')] })).toMatchObject({
      succeeded: true,
    })
    const second = { compare: absent, success: [put('a', '2')], failure: [put('b', 'lost')] }
    expect(await store.txn(second)).toEqual({ succeeded: false, revision: 2 })
    expect(await dump(store)).toEqual({ a: '1', b: 'lost' })
  })

  it('that change nothing leave the revision alone', async () => {
    const store = await open(new MemoryDisk())
    expect(await store.txn({ success: [remove('a')] })).toEqual({ succeeded: true, revision: 0 })
    expect(await store.txn({ success: [] })).toEqual({ succeeded: true, revision: 0 })
  })

  it('META-2: of several at once see the ones before them, and share an fsync', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk)
    const syncsBefore = disk.syncCount
    const increments = Array.from({ length: 50 }, (_, index) =>
      store.txn({
        compare: [{ key: 'n', target: 'version', equals: index }],
        success: [put('n', String(index + 1))],
      }),
    )
    const results = await Promise.all(increments)
    expect(results.every((result) => result.succeeded)).toBe(true)
    expect(disk.syncCount - syncsBefore).toBe(1)
    expect(await store.get('n')).toMatchObject({ value: '50', version: 50 })
  })

  it('META-1: are not visible before they are durable', async () => {
    const store = await open(new MemoryDisk())
    const seen: string[] = []
    store.watch('', 1, () => seen.push('event'))
    const done = store.txn({ success: [put('a', '1')] })
    await Promise.resolve()
    expect(await store.get('a')).toBeNull()
    expect(seen).toEqual([])
    await done
    await settle()
    expect(await store.get('a')).not.toBeNull()
    expect(seen).toEqual(['event'])
  })

  it('are refused with a duplicate key, when too large, and after close', async () => {
    const store = await open(new MemoryDisk())
    await expect(store.txn({ success: [put('a', '1'), remove('a')] })).rejects.toMatchObject({
      code: 'COORDINATION_DUPLICATE_KEY',
    })
    await expect(store.txn({ success: [put('a', 'x'.repeat(2 << 20))] })).rejects.toMatchObject({
      code: 'COORDINATION_TRANSACTION_TOO_LARGE',
    })
    await store.close()
    await expect(store.txn({ success: [put('a', '1')] })).rejects.toMatchObject({
      code: 'COORDINATION_CLOSED',
    })
  })

  it.each(['sync', 'write'] as const)('fail for good after a failed %s', async (failing) => {
    const disk = new MemoryDisk()
    const store = await open(disk)
    await store.txn({ success: [put('a', '1')] })
    disk.failing = failing
    await expect(store.txn({ success: [put('a', '2')] })).rejects.toMatchObject({
      code: 'COORDINATION_STORE_FAILED',
      cause: { code: 'EIO' },
    })
    disk.failing = null
    await expect(store.txn({ success: [put('a', '3')] })).rejects.toMatchObject({
      code: 'COORDINATION_STORE_FAILED',
    })
    expect(await dump(store)).toEqual({ a: '1' })
  })
})

describe('watches', () => {
  it('META-4: give history and then live changes, in order, once, by prefix', async () => {
    const store = await open(new MemoryDisk())
    await store.txn({ success: [put('t/a', '1')] })
    await store.txn({ success: [put('t/b', '1'), put('other', '1')] })
    const seen: [number, readonly WatchEvent[]][] = []
    store.watch('t/', 2, (events, revision) => seen.push([revision, events]))
    expect(seen).toEqual([])
    await store.txn({ success: [put('other', '2')] })
    await store.txn({ success: [remove('t/a')] })
    await settle()
    expect(seen).toMatchObject([
      [2, [{ type: 'put', item: { key: 't/b', value: '1' } }]],
      [4, [{ type: 'delete', key: 't/a', modRevision: 4 }]],
    ])
  })

  it('are silent once closed, even by their own listener', async () => {
    const store = await open(new MemoryDisk())
    let count = 0
    const watch = store.watch('', 1, () => {
      count++
      watch.close()
    })
    await Promise.all([
      store.txn({ success: [put('a', '1')] }),
      store.txn({ success: [put('b', '1')] }),
    ])
    await settle()
    expect(count).toBe(1)
  })

  it('from a revision that is folded into the snapshot are refused', async () => {
    const disk = new MemoryDisk()
    const first = await open(disk, 1)
    await first.txn({ success: [put('a', '1')] })
    await first.txn({ success: [put('a', '2')] })
    await first.close()
    const store = await open(disk)
    expect(() => store.watch('', 1, () => undefined)).toThrow('no longer kept')
  })
})

describe('recovery', () => {
  it('finds the same keys and revision again', async () => {
    const disk = new MemoryDisk()
    const before = await open(disk)
    await before.txn({ success: [put('a', 'ä"\n'), put('b', '2')] })
    await before.txn({ success: [remove('b')] })
    const expected = await before.range('')
    await before.close()
    disk.loseUnsynced()
    expect(await (await open(disk)).range('')).toEqual(expected)
  })

  it('cuts a tail that is torn at any byte, and goes on after it', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk)
    await store.txn({ success: [put('a', '1')] })
    const keptBytes = disk.files.get(JOURNAL)!.bytes.length
    await store.txn({ success: [put('b', '2')] })
    await store.close()
    const whole = disk.files.get(JOURNAL)!.bytes
    for (let bytes = keptBytes; bytes < whole.length; bytes++) {
      const torn = new MemoryDisk()
      torn.open(JOURNAL).writev([whole.subarray(0, bytes)], 0)
      const reopened = await open(torn)
      expect(await dump(reopened)).toEqual({ a: '1' })
      expect(torn.files.get(JOURNAL)!.syncedBytes.length).toBe(bytes === keptBytes ? 0 : keptBytes)
      await reopened.txn({ success: [put('c', '3')] })
      expect(await dump(await open(torn))).toEqual({ a: '1', c: '3' })
    }
  })

  it('refuses a journal that is damaged before its last entry, and says where', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk)
    for (const value of ['1', '2', '3']) await store.txn({ success: [put('a', value)] })
    await store.close()
    const whole = disk.files.get(JOURNAL)!.bytes
    const entryBytes = whole.length / 3
    for (let at = 0; at < entryBytes; at++) {
      const damaged = new MemoryDisk()
      const bytes = Buffer.from(whole)
      bytes[entryBytes + at] ^= 0x40
      damaged.open(JOURNAL).writev([bytes], 0)
      await expect(open(damaged)).rejects.toMatchObject({
        code: 'COORDINATION_JOURNAL_CORRUPT',
        message: expect.stringContaining(`${JOURNAL} is damaged at byte ${entryBytes}`) as string,
      })
    }
  })

  it('refuses a damaged snapshot, and a journal that does not continue it', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk, 1)
    await store.txn({ success: [put('a', '1')] })
    await store.close()
    const snapshot = disk.files.get(SNAPSHOT)!
    for (const bytes of [
      snapshot.bytes.subarray(0, -1),
      Buffer.concat([snapshot.bytes, snapshot.bytes]),
    ]) {
      disk.files.set(SNAPSHOT, { bytes, syncedBytes: bytes })
      await expect(open(disk)).rejects.toMatchObject({ code: 'COORDINATION_SNAPSHOT_CORRUPT' })
    }
    disk.files.set(SNAPSHOT, snapshot)
    const next = await open(disk)
    await next.txn({ success: [put('a', '2')] })
    await next.txn({ success: [put('a', '3')] })
    await next.close()
    await disk.remove(SNAPSHOT)
    await expect(open(disk)).rejects.toMatchObject({ code: 'COORDINATION_JOURNAL_CORRUPT' })
  })
})

describe('compaction', () => {
  it('keeps the journal small and loses nothing', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk, 500)
    for (let value = 0; value < 100; value++)
      await store.txn({ success: [put('a', String(value))] })
    expect(disk.files.get(JOURNAL)!.bytes.length).toBeLessThan(700)
    await store.close()
    const reopened = await open(disk)
    expect(await reopened.get('a')).toMatchObject({ value: '99', modRevision: 100, version: 100 })
  })

  it('META-3: that is cut off between snapshot and truncation is harmless', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk, 1)
    disk.failing = 'truncate'
    await store.txn({ success: [put('a', '1')] })
    await store.close()
    disk.failing = null
    expect(disk.files.get(JOURNAL)!.bytes.length).toBeGreaterThan(0)
    const reopened = await open(disk)
    expect(await reopened.get('a')).toMatchObject({ value: '1', version: 1 })
  })

  it('that cannot write its snapshot leaves the store working', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk, 1)
    disk.failing = 'replace'
    await store.txn({ success: [put('a', '1')] })
    await store.txn({ success: [put('a', '2')] })
    disk.failing = null
    await store.txn({ success: [put('a', '3')] })
    expect(await dump(await open(disk))).toEqual({ a: '3' })
  })
})

it('META-1: after any run and a power loss, exactly the acknowledged changes are there', async () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.option(fc.string({ maxLength: 20 }), { nil: null }),
    crash: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const disk = new MemoryDisk()
      let store = await open(disk, 200)
      const model = new Map<string, string>()
      for (const { key, value, crash } of steps) {
        await store.txn({ success: [value === null ? remove(key) : put(key, value)] })
        if (value === null) model.delete(key)
        else model.set(key, value)
        if (crash) {
          disk.loseUnsynced()
          store = await open(disk, 200)
        }
        expect(new Map(Object.entries(await dump(store)))).toEqual(model)
      }
    }),
    { numRuns: 50 },
  )
})

import { silentLogger } from '@millrace/telemetry'
import { type DiskOperation, SimDisk, SimRandom } from '@millrace/testing'
import * as fc from 'fast-check'
import { EmbeddedStore } from './embedded-store'
import type { Operation, Store, Transaction, WatchEvent } from './store'

const JOURNAL = '/meta/journal'
const SNAPSHOT = '/meta/snapshot'

function open(disk: SimDisk, journalMaxBytes = 1 << 20): Promise<EmbeddedStore> {
  return EmbeddedStore.open({ disk, logger: silentLogger }, { directory: '/meta', journalMaxBytes })
}
const put = (key: string, value: string): Operation => ({ type: 'put', key, value })
const remove = (key: string): Operation => ({ type: 'delete', key })
async function dump(store: Store): Promise<Record<string, string>> {
  const { items } = await store.range('')
  return Object.fromEntries(items.map((item) => [item.key, item.value]))
}
async function read(disk: SimDisk, file: string): Promise<Buffer> {
  return (await disk.readFile(file)) ?? Buffer.alloc(0)
}
/** A disk on which one file has this content. */
async function aDiskWith(file: string, content: Buffer): Promise<SimDisk> {
  const disk = new SimDisk()
  await disk.makeDirectory('/meta')
  await disk.replaceFile(file, content)
  return disk
}
function fail(disk: SimDisk, kind: DiskOperation['kind'] | null, file = ''): void {
  const error = Object.assign(new Error('disk error'), { code: 'EIO' })
  const onOperation = (operation: DiskOperation) =>
    operation.kind === kind && operation.path.startsWith(file) ? error : null
  disk.options = { onOperation }
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('transactions', () => {
  it('count one global revision and three numbers per key', async () => {
    const store = await open(new SimDisk())
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
    const store = await open(new SimDisk())
    const absent: Transaction['compare'] = [{ key: 'a', target: 'version', equals: 0 }]
    expect(await store.txn({ compare: absent, success: [put('a', '1')] })).toMatchObject({
      succeeded: true,
    })
    const second = { compare: absent, success: [put('a', '2')], failure: [put('b', 'lost')] }
    expect(await store.txn(second)).toEqual({ succeeded: false, revision: 2 })
    expect(await dump(store)).toEqual({ a: '1', b: 'lost' })
  })

  it('that change nothing leave the revision alone', async () => {
    const store = await open(new SimDisk())
    expect(await store.txn({ success: [remove('a')] })).toEqual({ succeeded: true, revision: 0 })
    expect(await store.txn({ success: [] })).toEqual({ succeeded: true, revision: 0 })
  })

  it('META-2: of several at once see the ones before them, and share an fsync', async () => {
    const disk = new SimDisk()
    const store = await open(disk)
    let syncCount = 0
    const onOperation = ({ kind }: DiskOperation) => {
      if (kind === 'synced') syncCount++
      return null
    }
    disk.options = { onOperation }
    const increments = Array.from({ length: 50 }, (_, index) =>
      store.txn({
        compare: [{ key: 'n', target: 'version', equals: index }],
        success: [put('n', String(index + 1))],
      }),
    )
    const results = await Promise.all(increments)
    expect(results.every((result) => result.succeeded)).toBe(true)
    expect(syncCount).toBe(1)
    expect(await store.get('n')).toMatchObject({ value: '50', version: 50 })
  })

  it('META-1: are not visible before they are durable', async () => {
    const store = await open(new SimDisk())
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
    const store = await open(new SimDisk())
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
    const disk = new SimDisk()
    const store = await open(disk)
    await store.txn({ success: [put('a', '1')] })
    fail(disk, failing)
    await expect(store.txn({ success: [put('a', '2')] })).rejects.toMatchObject({
      code: 'COORDINATION_STORE_FAILED',
      cause: { code: 'EIO' },
    })
    fail(disk, null)
    await expect(store.txn({ success: [put('a', '3')] })).rejects.toMatchObject({
      code: 'COORDINATION_STORE_FAILED',
    })
    expect(await dump(store)).toEqual({ a: '1' })
  })
})

describe('watches', () => {
  it('META-4: give history and then live changes, in order, once, by prefix', async () => {
    const store = await open(new SimDisk())
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
    const store = await open(new SimDisk())
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
    const disk = new SimDisk()
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
    const disk = new SimDisk()
    const before = await open(disk)
    await before.txn({ success: [put('a', 'ä"\n'), put('b', '2')] })
    await before.txn({ success: [remove('b')] })
    const expected = await before.range('')
    await before.close()
    const after = disk.crash(new SimRandom(1))
    expect(await (await open(after)).range('')).toEqual(expected)
  })

  it('cuts a tail that is torn at any byte, and goes on after it', async () => {
    const disk = new SimDisk()
    const store = await open(disk)
    await store.txn({ success: [put('a', '1')] })
    const keptBytes = (await read(disk, JOURNAL)).length
    await store.txn({ success: [put('b', '2')] })
    await store.close()
    const whole = await read(disk, JOURNAL)
    for (let bytes = keptBytes; bytes < whole.length; bytes++) {
      const torn = await aDiskWith(JOURNAL, whole.subarray(0, bytes))
      const reopened = await open(torn)
      expect(await dump(reopened)).toEqual({ a: '1' })
      expect((await read(torn, JOURNAL)).length).toBe(keptBytes)
      await reopened.txn({ success: [put('c', '3')] })
      expect(await dump(await open(torn))).toEqual({ a: '1', c: '3' })
    }
  })

  it('refuses a journal that is damaged before its last entry, and says where', async () => {
    const disk = new SimDisk()
    const store = await open(disk)
    for (const value of ['1', '2', '3']) await store.txn({ success: [put('a', value)] })
    await store.close()
    const whole = await read(disk, JOURNAL)
    const entryBytes = whole.length / 3
    for (let at = 0; at < entryBytes; at++) {
      const bytes = Buffer.from(whole)
      bytes[entryBytes + at] ^= 0x40
      const damaged = await aDiskWith(JOURNAL, bytes)
      await expect(open(damaged)).rejects.toMatchObject({
        code: 'COORDINATION_JOURNAL_CORRUPT',
        message: expect.stringContaining(`${JOURNAL} is damaged at byte ${entryBytes}`) as string,
      })
    }
  })

  it('refuses a damaged snapshot, and a journal that does not continue it', async () => {
    const disk = new SimDisk()
    const store = await open(disk, 1)
    await store.txn({ success: [put('a', '1')] })
    await store.close()
    const snapshot = await read(disk, SNAPSHOT)
    for (const bytes of [snapshot.subarray(0, -1), Buffer.concat([snapshot, snapshot])]) {
      await disk.replaceFile(SNAPSHOT, bytes)
      await expect(open(disk)).rejects.toMatchObject({ code: 'COORDINATION_SNAPSHOT_CORRUPT' })
    }
    await disk.replaceFile(SNAPSHOT, snapshot)
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
    const disk = new SimDisk()
    const store = await open(disk, 500)
    for (let value = 0; value < 100; value++)
      await store.txn({ success: [put('a', String(value))] })
    expect((await read(disk, JOURNAL)).length).toBeLessThan(700)
    await store.close()
    const reopened = await open(disk)
    expect(await reopened.get('a')).toMatchObject({ value: '99', modRevision: 100, version: 100 })
  })

  it('META-3: that is cut off between snapshot and truncation is harmless', async () => {
    const disk = new SimDisk()
    const store = await open(disk, 1)
    fail(disk, 'truncate')
    await store.txn({ success: [put('a', '1')] })
    await store.close()
    fail(disk, null)
    expect((await read(disk, JOURNAL)).length).toBeGreaterThan(0)
    const reopened = await open(disk)
    expect(await reopened.get('a')).toMatchObject({ value: '1', version: 1 })
  })

  it('META-3: that left a half emptied journal begins it anew', async () => {
    const disk = new SimDisk()
    const store = await open(disk)
    for (const value of ['1', '2', '3']) await store.txn({ success: [put('a', value)] })
    await store.close()
    const journal = await read(disk, JOURNAL)
    const compacting = await open(disk, 1)
    await compacting.txn({ success: [put('a', '4')] })
    await compacting.close()
    journal.fill(0, journal.length / 3, (journal.length / 3) * 2)
    await disk.replaceFile(JOURNAL, journal)
    const reopened = await open(disk)
    await reopened.txn({ success: [put('a', '5')] })
    expect(await (await open(disk)).get('a')).toMatchObject({ value: '5', modRevision: 5 })
  })

  it('that cannot write its snapshot leaves the store working', async () => {
    const disk = new SimDisk()
    const store = await open(disk, 1)
    fail(disk, 'rename')
    await store.txn({ success: [put('a', '1')] })
    await store.txn({ success: [put('a', '2')] })
    fail(disk, null)
    await store.txn({ success: [put('a', '3')] })
    expect(await dump(await open(disk))).toEqual({ a: '3' })
  })
})

it('META-1: after a power loss at any moment, the acknowledged changes are there, in order', async () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.string({ maxLength: 600 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 }),
      fc.nat(120),
      fc.nat(),
      async (rounds, powerOffAt, seed) => {
        const random = new SimRandom(seed)
        const disk = new SimDisk({ powerOffAt: powerOffAt + 1 })
        const sent: Operation[] = []
        const acknowledgedCount = await sendUntilPowerLoss(disk, rounds.flat(), sent)
        const after = disk.crash(random)
        const store = await open(after, 2000)
        const { revision } = await store.range('')
        expect(revision).toBeGreaterThanOrEqual(acknowledgedCount)
        expect(revision).toBeLessThanOrEqual(sent.length)
        const expected = new Map<string, string>()
        for (const operation of sent.slice(0, revision)) {
          if (operation.type === 'put') expected.set(operation.key, operation.value)
        }
        expect(new Map(Object.entries(await dump(store)))).toEqual(expected)
        await store.txn({ success: [put('z', '1')] })
        await store.close()
        expect(await (await open(after)).get('z')).toMatchObject({ modRevision: revision + 1 })
      },
    ),
    { numRuns: 300 },
  )
})

/** Sends up to three changes at once; returns how many were acknowledged. */
async function sendUntilPowerLoss(
  disk: SimDisk,
  steps: readonly { key: string; value: string }[],
  sent: Operation[],
): Promise<number> {
  let acknowledgedCount = 0
  try {
    const store = await open(disk, 2000)
    for (let first = 0; first < steps.length; first += 3) {
      const operations = steps.slice(first, first + 3).map(({ key, value }) => put(key, value))
      sent.push(...operations)
      await Promise.all(operations.map((operation) => store.txn({ success: [operation] })))
      acknowledgedCount += operations.length
    }
  } catch {
    // The power is off.
  }
  return acknowledgedCount
}

import { randomBytes } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { ObjectStore } from '../src/store'

const MIB = 1024 * 1024

/** A store that was opened, with what a test needs beside it. */
export interface StoreBed {
  readonly store: ObjectStore
  /** Keys that a reader of the bucket sees, sorted. */
  list(): Promise<string[]>
  read(key: string): Promise<Buffer>
  /** Makes completing this key fail until the returned function is called. */
  block(key: string): Promise<() => Promise<void>>
  /** What an aborted or completed upload must not leave behind, although no reader of the bucket sees it. */
  leftovers(): Promise<string[]>
  close(): Promise<void>
}

/** What every object store must do. Parts are of 5 MiB where there are any. */
export function describeStore(openBed: () => Promise<StoreBed>): void {
  let bed: StoreBed
  beforeEach(async () => {
    bed = await openBed()
  })
  afterEach(() => bed.close())

  const store = async (key: string, ...chunks: Buffer[]) => {
    const upload = bed.store.createObject(key)
    for (const chunk of chunks) await upload.write([chunk])
    await upload.complete()
  }

  it('shows a small object only when it is complete', async () => {
    const upload = bed.store.createObject('a/b.json')
    await upload.write([Buffer.from('one\n'), Buffer.from('two\n')])
    expect(await bed.list()).toEqual([])
    await upload.complete()
    expect(await bed.list()).toEqual(['a/b.json'])
    expect((await bed.read('a/b.json')).toString()).toBe('one\ntwo\n')
    expect(await bed.leftovers()).toEqual([])
  })

  it('puts an object of several parts together', async () => {
    const chunks = [3, 4, 0.5, 4.5].map((size) => randomBytes(size * MIB))
    const upload = bed.store.createObject('large')
    for (const chunk of chunks) await upload.write([chunk])
    expect(await bed.list()).toEqual([])
    await upload.complete()
    expect((await bed.read('large')).equals(Buffer.concat(chunks))).toBe(true)
    expect(await bed.leftovers()).toEqual([])
  })

  it('replaces an object of the same key', async () => {
    await store('a', Buffer.from('long before'))
    await store('a', Buffer.from('after'))
    expect((await bed.read('a')).toString()).toBe('after')
    await store('a', randomBytes(6 * MIB))
    await store('a', Buffer.from('small again'))
    expect((await bed.read('a')).toString()).toBe('small again')
  })

  it('leaves nothing of an upload that was given up', async () => {
    for (const size of [100, 11 * MIB]) {
      const upload = bed.store.createObject(`aborted-${size}`)
      await upload.write([randomBytes(size)])
      await upload.abort()
    }
    await bed.store.createObject('never-written').abort()
    expect(await bed.list()).toEqual([])
    expect(await bed.leftovers()).toEqual([])
  })

  it.each([100, 11 * MIB])(
    'goes on with an object of %i bytes that could not be completed',
    async (size) => {
      const bytes = randomBytes(size)
      const upload = bed.store.createObject('a/b')
      await upload.write([bytes])
      const unblock = await bed.block('a/b')
      for (const _attempt of [1, 2])
        await expect(upload.complete()).rejects.toMatchObject({ kind: 'retriable' })
      await unblock()
      await upload.complete()
      expect((await bed.read('a/b')).equals(bytes)).toBe(true)
      expect(await bed.leftovers()).toEqual([])
    },
  )

  it('keeps keys as they are', async () => {
    const keys = ['a b', 'a+0+00.json', '100%', 'ä/ö=ü', 'x=\'"&<>', 'deep/er/and/deeper', '日本']
    for (const key of keys) await store(key, Buffer.from(key))
    expect(await bed.list()).toEqual([...keys].sort())
    for (const key of keys) expect((await bed.read(key)).toString()).toBe(key)
  })

  it('keeps bytes as they are', async () => {
    const text = 'line\n'.repeat(1000)
    await store('a.json.gz', gzipSync(text))
    expect(gunzipSync(await bed.read('a.json.gz')).toString()).toBe(text)
    await store('empty')
    expect(await bed.read('empty')).toHaveLength(0)
  })
}

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { FolderStore } from '../src/folder-store'
import { describeStore, type StoreBed } from './store-suite'

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

async function openBed(): Promise<StoreBed & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-folder-'))
  const store = new FolderStore(join(folder, 'bucket'))
  await store.open()
  const bucket = join(folder, 'bucket')
  const isPart = (name: string) => name.endsWith('.part')
  return {
    store,
    folder,
    list: async () => (await filesOf(bucket)).filter((name) => !isPart(name)),
    read: (key) => readFile(join(bucket, key)),
    block: async (key) => {
      await mkdir(join(bucket, key), { recursive: true })
      await writeFile(join(bucket, key, 'in-the-way.part'), '')
      return () => rm(join(bucket, key), { recursive: true })
    },
    leftovers: async () => (await filesOf(bucket)).filter(isPart),
    close: async () => {
      store.close()
      await rm(folder, { recursive: true })
    },
  }
}

describe('a folder as store', () => {
  describeStore(openBed)

  it.each(['../x', 'a/../../../x', '..', 'a/./b', 'nul\0'])(
    'keeps the key %j inside the folder',
    async (key) => {
      const bed = await openBed()
      const upload = bed.store.createObject(key)
      await upload.write([Buffer.from('x')])
      await upload.complete()
      expect(await filesOf(bed.folder)).toEqual([expect.stringMatching(/^bucket\//)])
      await bed.close()
    },
  )

  it('says that a human must act when it may not write', async () => {
    const bed = await openBed()
    await writeFile(join(bed.folder, 'file'), '')
    const store = new FolderStore(join(bed.folder, 'file', 'bucket'))
    await expect(store.open()).rejects.toMatchObject({ kind: 'configuration' })
    await bed.close()
  })
})

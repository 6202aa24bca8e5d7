import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { nodeDisk } from './node-disk'

describe('nodeDisk', () => {
  let directory: string
  const at = (name: string) => path.join(directory, name)
  beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'disk-'))))
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

  it('writes buffers one after the other at a position and reads them back', () => {
    const file = nodeDisk.open(at('a'), 'append')
    file.writev([Buffer.from('ab'), Buffer.from('cd'), Buffer.from('e')], 0)
    file.writev([Buffer.from('XY')], 3)
    const target = Buffer.alloc(8, '.')
    expect(file.read(target, 1, 6, 1)).toBe(4)
    expect(target.toString()).toBe('.bcXY...')
    expect(file.size()).toBe(5)
    file.close()
  })

  it('tells how much room there is, in bytes', async () => {
    const { totalBytes, usableBytes } = await nodeDisk.space(directory)
    const { bavail, bsize } = fs.statfsSync(directory)
    expect(Math.abs(usableBytes - bavail * bsize)).toBeLessThan(totalBytes / 10)
    expect(usableBytes).toBeLessThanOrEqual(totalBytes)
  })

  it('writes more buffers than one system call takes', () => {
    const file = nodeDisk.open(at('a'), 'append')
    file.writev(
      Array.from({ length: 3000 }, (_, index) => Buffer.from([index & 255])),
      0,
    )
    expect(file.size()).toBe(3000)
    file.close()
  })

  it('keeps what an existing file holds and refuses to read an absent one', () => {
    fs.writeFileSync(at('a'), 'kept')
    const file = nodeDisk.open(at('a'), 'append')
    expect(file.size()).toBe(4)
    file.close()
    expect(() => nodeDisk.open(at('b'), 'read')).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    )
  })

  it('lets a sync finish although the file is closed meanwhile', async () => {
    const file = nodeDisk.open(at('a'), 'append')
    file.writev([Buffer.from('x')], 0)
    const synced = file.sync()
    file.close()
    file.close()
    await expect(synced).resolves.toBeUndefined()
  })

  it('reads on the thread pool up to the end of the file, and not from a closed one', async () => {
    const file = nodeDisk.open(at('a'), 'append')
    file.writev([Buffer.from('abcde')], 0)
    const target = Buffer.alloc(6, '.')
    await expect(file.readLater(target, 1, 5, 2)).resolves.toBe(3)
    expect(target.toString()).toBe('.cde..')
    const reading = file.readLater(target, 0, 6, 0)
    file.close()
    await expect(reading).rejects.toMatchObject({ code: 'EBADF' })
  })

  it('replaces a whole file and leaves no temporary one', async () => {
    await nodeDisk.replaceFile(at('a'), 'old')
    await nodeDisk.replaceFile(at('a'), 'new')
    expect(await nodeDisk.list(directory)).toEqual(['a'])
    expect(String(await nodeDisk.readFile(at('a')))).toBe('new')
  })

  it('takes what is absent as empty or already gone', async () => {
    expect(await nodeDisk.readFile(at('x'))).toBeNull()
    expect(await nodeDisk.list(at('x'))).toEqual([])
    await nodeDisk.remove(at('x'))
  })

  it('removes a directory with all that is in it', async () => {
    await nodeDisk.makeDirectory(at('d/e'))
    await nodeDisk.replaceFile(at('d/e/f'), '1')
    await nodeDisk.remove(at('d'))
    expect(await nodeDisk.list(directory)).toEqual([])
  })
})

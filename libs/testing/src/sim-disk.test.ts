import { SimDisk } from './sim-disk'
import { SimRandom } from './sim-random'

const seeds = Array.from({ length: 40 }, (_, seed) => seed)

async function diskWith(file: string, content: Buffer): Promise<SimDisk> {
  const disk = new SimDisk()
  await disk.makeDirectory('/d')
  await disk.syncDirectory('/')
  const handle = disk.open(file, 'append')
  handle.writev([content], 0)
  await handle.sync()
  await disk.syncDirectory('/d')
  return disk
}

describe('SimDisk', () => {
  it('keeps what was synced and named through every crash', async () => {
    const content = Buffer.alloc(3000, 7)
    for (const seed of seeds) {
      const disk = await diskWith('/d/a', content)
      disk.open('/d/a', 'append').writev([Buffer.alloc(2000, 9)], 3000)
      const after = await disk.crash(new SimRandom(seed)).readFile('/d/a')
      expect(after!.subarray(0, 3000)).toEqual(content)
    }
  })

  it('loses, keeps and tears by sector what was not synced', async () => {
    const outcomes = new Set<string>()
    for (const seed of seeds) {
      const disk = await diskWith('/d/a', Buffer.alloc(0))
      disk.open('/d/a', 'append').writev([Buffer.alloc(1024, 1)], 0)
      const after = (await disk.crash(new SimRandom(seed)).readFile('/d/a'))!
      const sectors = `${after.length} ${after[0]} ${after[600]}`
      outcomes.add(after.length === 1024 || after.length === 0 ? sectors : 'cut')
    }
    expect([...outcomes].sort()).toEqual([
      '0 undefined undefined',
      '1024 0 0',
      '1024 0 1',
      '1024 1 0',
      '1024 1 1',
      'cut',
    ])
  })

  it('may lose a new name and a rename until their directory is synced', async () => {
    const seen = new Set<string>()
    for (const seed of seeds) {
      const disk = await diskWith('/d/a', Buffer.from('x'))
      await disk.rename('/d/a', '/d/b')
      await disk.open('/d/c', 'append').sync()
      seen.add((await disk.crash(new SimRandom(seed)).list('/d')).join())
    }
    expect([...seen].sort()).toEqual(['a', 'a,c', 'b', 'b,c'])
  })

  it('replaces a file by the old or the new content, never a mix', async () => {
    for (let powerOffAt = 1; powerOffAt < 12; powerOffAt++) {
      const disk = await diskWith('/d/a', Buffer.from('old'))
      disk.options = { powerOffAt: disk.operationCount + powerOffAt }
      await disk.replaceFile('/d/a', 'new').catch(() => undefined)
      const after = await disk.crash(new SimRandom(powerOffAt)).readFile('/d/a')
      expect(['old', 'new']).toContain(String(after))
    }
  })

  it('writes what fits and then says that it is full', () => {
    const disk = new SimDisk({ capacityBytes: 10 })
    const file = disk.open('/a', 'append')
    expect(() => file.writev([Buffer.alloc(8), Buffer.alloc(8)], 0)).toThrow(/ENOSPC/)
    expect(file.size()).toBe(10)
  })

  it('keeps everything when only the process ends, until the power goes', async () => {
    const outcomes = new Set<string>()
    for (const seed of seeds) {
      const disk = await diskWith('/d/a', Buffer.from('x'))
      const file = disk.open('/d/a', 'append')
      file.writev([Buffer.from('y')], 1)
      const survivor = disk.kill()
      expect(() => file.writev([Buffer.from('z')], 2)).toThrow(/power is off/)
      expect(String(await survivor.readFile('/d/a'))).toBe('xy')
      outcomes.add(String(await survivor.crash(new SimRandom(seed)).readFile('/d/a')))
    }
    expect([...outcomes].sort()).toContain('x')
  })

  it('fails everything after the power is off', async () => {
    const disk = await diskWith('/d/a', Buffer.from('x'))
    const file = disk.open('/d/a', 'append')
    const syncing = file.sync()
    disk.crash(new SimRandom(1))
    await expect(syncing).rejects.toThrow(/power is off/)
    expect(() => file.writev([Buffer.alloc(1)], 0)).toThrow(/power is off/)
    await expect(disk.readFile('/d/a')).rejects.toThrow(/power is off/)
  })
})

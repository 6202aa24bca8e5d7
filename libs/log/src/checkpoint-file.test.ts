import { SimDisk } from '@millrace/testing'
import { FileSaver, formatOffsets, parseCheckpoint, readOffsets } from './checkpoint-file'
import { LeaderEpochs } from './leader-epochs'

const corrupt = expect.objectContaining({ code: 'LOG_CORRUPT_FILE' }) as Error

describe('checkpoint files', () => {
  it('reads back the offsets that it wrote, also of topics with dashes and dots', async () => {
    const offsets = new Map([
      ['a-1.b 0', 5],
      ['c 12', 2 ** 40],
    ])
    const disk = new SimDisk()
    await disk.replaceFile('/points', formatOffsets(offsets))
    expect(await readOffsets(disk, '/points')).toEqual(offsets)
    expect(await readOffsets(disk, '/absent')).toEqual(new Map())
  })

  it.each([
    ['another version', '1\n0\n'],
    ['fewer lines than it says', '0\n2\na 0 1\n'],
    ['more lines than it says', '0\n0\na 0 1\n'],
    ['an entry that is none', '0\n1\na 0 x\n'],
    ['nothing', ''],
  ])('refuses a file with %s', async (_, text) => {
    const disk = new SimDisk()
    await disk.replaceFile('/points', text)
    await expect(readOffsets(disk, '/points')).rejects.toEqual(corrupt)
  })

  it('refuses leader epochs that are none', () => {
    expect(() => LeaderEpochs.parse('/epochs', '0\n1\n3 x\n')).toThrow(corrupt)
    expect(LeaderEpochs.parse('/epochs', '0\n2\n1 0\n4 9\n').latest()).toBe(4)
    expect(parseCheckpoint('/epochs', '0\n0\n')).toEqual([])
  })

  it('writes one at a time, and what came during a write shares the next one', async () => {
    const disk = new SimDisk()
    let content = 'first'
    let renames = 0
    disk.options = { onOperation: ({ kind }) => (kind === 'rename' && renames++, null) }
    const saver = new FileSaver(disk, '/points', () => content)
    const first = saver.save()
    content = 'second'
    await Promise.all([first, saver.save(), saver.save(), saver.save()])
    expect(renames).toBe(2)
    expect(String(await disk.readFile('/points'))).toBe('second')
  })

  it('writes again after a write that failed', async () => {
    const disk = new SimDisk()
    disk.options = { onOperation: ({ kind }) => (kind === 'write' ? new Error('full') : null) }
    const saver = new FileSaver(disk, '/points', () => 'x')
    await expect(saver.save()).rejects.toThrow('full')
    disk.options = {}
    await saver.save()
    expect(String(await disk.readFile('/points'))).toBe('x')
  })
})

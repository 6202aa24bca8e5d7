import * as path from 'node:path'
import type { Disk, DiskFile, DiskSpace } from '@millrace/base'
import type { SimRandom } from './sim-random'

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512
const GROWTH = 2
/** The size of a disk that never gets full. */
const LARGE_BYTES = 2 ** 40

/** What the disk is asked to do, as `onOperation` sees it. */
export interface DiskOperation {
  readonly kind:
    | 'open'
    /** After `open`, of a file that was not there: what needs room. */
    | 'create'
    | 'write'
    | 'read'
    | 'sync'
    | 'synced'
    | 'truncate'
    | 'rename'
    | 'remove'
    | 'makeDirectory'
    | 'syncDirectory'
  readonly path: string
}

export interface SimDiskOptions {
  /** Writes fail with ENOSPC beyond this, after writing what fits. */
  readonly capacityBytes?: number
  /** Turns of the event loop that the sync of a file takes; 1 if absent. */
  readonly syncTurns?: number
  /** The power goes before this operation, counted from 1: it and all later ones fail. */
  readonly powerOffAt?: number
  /** Called before each operation; an error that it returns is thrown. */
  readonly onOperation?: (operation: DiskOperation) => Error | null
}

/**
 * A disk in memory that tells what is in the page cache from what is on the platter. `crash` gives the disk as it may be
 * after a power loss: what was not synced is there, is gone or is torn sector by sector in any order, and names that were
 * created, renamed or removed without a sync of their directory are the new or the old ones.
 */
export class SimDisk implements Disk {
  options: SimDiskOptions
  operationCount = 0
  readonly #names: Map<string, SimInode>
  #isPowerOff = false
  #durableNames: Map<string, SimInode>
  /** Changes of names that no directory sync has covered, in order. */
  #pendingNames: NameChange[] = []

  constructor(options: SimDiskOptions = {}, names = new Map<string, SimInode>()) {
    this.options = options
    this.#names = names
    this.#durableNames = new Map(names)
  }

  /** Takes the power away from this disk and returns the one that comes up again. */
  crash(random: SimRandom, options: SimDiskOptions = {}): SimDisk {
    this.#isPowerOff = true
    const names = this.#durableNames
    for (const change of this.#pendingNames) if (random.chance(50)) applyChange(names, change)
    const survivors = new Map<string, SimInode>()
    for (const [name, inode] of names) {
      // What lies in a directory whose own name was lost is lost with it.
      const isReachable = path.dirname(name) === '/' || names.has(path.dirname(name))
      if (isReachable) survivors.set(name, inode.afterCrash(random))
    }
    return new SimDisk(options, survivors)
  }

  /** Ends the process and not the machine: what was written is there, synced or not, and a crash may still take it. */
  kill(): SimDisk {
    this.#isPowerOff = true
    const survivor = new SimDisk({}, this.#names)
    survivor.#durableNames = this.#durableNames
    survivor.#pendingNames = this.#pendingNames
    return survivor
  }

  /** Bytes in all files. */
  get usedBytes(): number {
    let total = 0
    for (const inode of this.#names.values()) total += inode.size
    return total
  }

  /** Bytes in the files whose names end so. */
  usedBytesOf(suffix: string): number {
    let total = 0
    for (const [name, inode] of this.#names) if (name.endsWith(suffix)) total += inode.size
    return total
  }

  open(file: string, mode: 'append' | 'read'): DiskFile {
    this.#operate('open', file)
    let inode = this.#names.get(file)
    if (inode === undefined) {
      if (mode === 'read') throw systemError('ENOENT', `no such file, open '${file}'`)
      this.#operate('create', file)
      inode = new SimInode()
      this.#change({ kind: 'link', name: file, inode })
    }
    return new SimFile(file, inode, {
      operate: (kind) => this.#operate(kind, file),
      freeBytes: () => (this.options.capacityBytes ?? Infinity) - this.usedBytes,
      syncTurns: () => this.options.syncTurns ?? 1,
    })
  }

  async readFile(file: string): Promise<Buffer | null> {
    await settle()
    this.#operate('read', file)
    const inode = this.#names.get(file)
    return inode === undefined || inode.isDirectory ? null : Buffer.from(inode.bytes())
  }

  async replaceFile(file: string, content: Buffer | string): Promise<void> {
    const temporary = `${file}.tmp`
    const bytes = Buffer.from(content)
    const target = this.open(temporary, 'append')
    this.#names.get(temporary)!.truncate(0) // what an earlier try has left
    target.writev([bytes], 0)
    await target.sync()
    await this.rename(temporary, file)
    await this.syncDirectory(path.dirname(file))
  }

  async list(directory: string): Promise<string[]> {
    await settle()
    this.#operate('read', directory)
    return [...this.#names.keys()]
      .filter((name) => path.dirname(name) === directory && name !== directory)
      .map((name) => path.basename(name))
      .sort()
  }

  async makeDirectory(directory: string): Promise<void> {
    await settle()
    this.#operate('makeDirectory', directory)
    if (this.#names.has(directory)) return
    const parent = path.dirname(directory)
    if (parent !== directory) await this.makeDirectory(parent)
    const inode = new SimInode()
    inode.isDirectory = true
    this.#change({ kind: 'link', name: directory, inode })
  }

  async rename(from: string, to: string): Promise<void> {
    await settle()
    this.#operate('rename', from)
    if (!this.#names.has(from)) throw systemError('ENOENT', `no such file, rename '${from}'`)
    this.#change({ kind: 'rename', from, to })
  }

  async remove(target: string): Promise<void> {
    await settle()
    this.#operate('remove', target)
    for (const name of Array.from(this.#names.keys())) {
      if (isWithin(name, target)) this.#change({ kind: 'unlink', name })
    }
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#operate('syncDirectory', directory)
    const covered = this.#pendingNames.filter((change) => directoriesOf(change).includes(directory))
    await settle()
    this.#operate('synced', directory)
    for (const change of covered) applyChange(this.#durableNames, change)
    this.#pendingNames = this.#pendingNames.filter((change) => !covered.includes(change))
  }

  async space(directory: string): Promise<DiskSpace> {
    await settle()
    this.#operate('read', directory)
    const totalBytes = this.options.capacityBytes ?? LARGE_BYTES
    return { totalBytes, usableBytes: Math.max(totalBytes - this.usedBytes, 0) }
  }

  #change(change: NameChange): void {
    applyChange(this.#names, change)
    this.#pendingNames.push(change)
  }

  #operate(kind: DiskOperation['kind'], file: string): void {
    this.operationCount++
    if (this.operationCount === this.options.powerOffAt) this.#isPowerOff = true
    if (this.#isPowerOff) throw systemError('EIO', `the power is off, ${kind} '${file}'`)
    const error = this.options.onOperation?.({ kind, path: file })
    if (error) throw error
  }
}

type NameChange =
  | { readonly kind: 'link'; readonly name: string; readonly inode: SimInode }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }

/** A rename is atomic: after a crash there is the old name or the new one, never both or none. */
function applyChange(names: Map<string, SimInode>, change: NameChange): void {
  if (change.kind === 'link') names.set(change.name, change.inode)
  else if (change.kind === 'unlink') names.delete(change.name)
  else {
    for (const name of Array.from(names.keys())) {
      if (!isWithin(name, change.from)) continue
      names.set(change.to + name.slice(change.from.length), names.get(name)!)
      names.delete(name)
    }
  }
}

function directoriesOf(change: NameChange): string[] {
  return change.kind === 'rename'
    ? [path.dirname(change.from), path.dirname(change.to)]
    : [path.dirname(change.name)]
}

function isWithin(name: string, directory: string): boolean {
  return name === directory || name.startsWith(`${directory}/`)
}

/** The content of one file, twice: as programs see it, and as it is on the platter. */
class SimInode {
  isDirectory = false
  size = 0
  #cache = Buffer.alloc(0)
  #durable: Buffer = Buffer.alloc(0)

  bytes(): Buffer {
    return this.#cache.subarray(0, this.size)
  }

  write(bytes: Buffer, position: number): void {
    const sizeAfter = Math.max(this.size, position + bytes.length)
    if (sizeAfter > this.#cache.length) {
      const larger = Buffer.alloc(sizeAfter * GROWTH)
      this.bytes().copy(larger)
      this.#cache = larger
    }
    bytes.copy(this.#cache, position)
    this.size = sizeAfter
  }

  truncate(size: number): void {
    this.#cache.fill(0, size)
    this.size = Math.min(this.size, size)
  }

  /** What a sync that starts now will have made durable when it ends. */
  snapshot(): Buffer {
    return Buffer.from(this.bytes())
  }

  makeDurable(snapshot: Buffer): void {
    this.#durable = snapshot
  }

  /** Each sector that was not synced is the old or the new one, whatever happened to those before it. */
  afterCrash(random: SimRandom): SimInode {
    const survivor = new SimInode()
    survivor.isDirectory = this.isDirectory
    const sizes = [this.#durable.length, this.size, random.int(this.size + 1)]
    const size = sizes[random.int(sizes.length)]
    const content = Buffer.alloc(size)
    for (let at = 0; at < size; at += SECTOR_BYTES) {
      const source = random.chance(50) ? this.bytes() : this.#durable
      source.subarray(at, Math.min(at + SECTOR_BYTES, size)).copy(content, at)
    }
    // What was durable and is still the same cannot be lost by the size either.
    const kept = commonPrefix(this.#durable, this.bytes())
    const result = size < kept ? this.#durable.subarray(0, kept) : content
    survivor.write(result, 0)
    survivor.makeDurable(Buffer.from(result))
    return survivor
  }
}

function commonPrefix(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length)
  if (a.subarray(0, length).equals(b.subarray(0, length))) return length
  let at = 0
  while (a[at] === b[at]) at++
  return at
}

/** How everything may end in the middle, for tests that try each way. */
export const crashEndings = [
  { name: 'a power loss', end: (disk: SimDisk, random: SimRandom) => disk.crash(random) },
  { name: 'kill -9', end: (disk: SimDisk) => disk.kill() },
] as const

interface FileHooks {
  /** Throws if the operation fails. */
  operate(kind: DiskOperation['kind']): void
  freeBytes(): number
  readonly syncTurns: () => number
}

class SimFile implements DiskFile {
  readonly path: string
  readonly #inode: SimInode
  readonly #hooks: FileHooks
  #isClosed = false

  constructor(file: string, inode: SimInode, hooks: FileHooks) {
    this.path = file
    this.#inode = inode
    this.#hooks = hooks
  }

  size(): number {
    this.#assertOpen()
    return this.#inode.size
  }

  writev(buffers: readonly Buffer[], position: number): void {
    this.#assertOpen()
    this.#hooks.operate('write')
    const bytes = Buffer.concat(buffers)
    const free = this.#inode.size - position + this.#hooks.freeBytes()
    if (bytes.length > free) {
      this.#inode.write(bytes.subarray(0, Math.max(free, 0)), position)
      throw systemError('ENOSPC', `no space left on device, write '${this.path}'`)
    }
    this.#inode.write(bytes, position)
  }

  read(target: Buffer, targetStart: number, length: number, position: number): number {
    this.#assertOpen()
    this.#hooks.operate('read')
    return this.#inode.bytes().copy(target, targetStart, position, position + length)
  }

  async readLater(
    target: Buffer,
    targetStart: number,
    length: number,
    position: number,
  ): Promise<number> {
    this.#assertOpen()
    this.#hooks.operate('read')
    await settle()
    return this.#inode.bytes().copy(target, targetStart, position, position + length)
  }

  async sync(): Promise<void> {
    this.#assertOpen()
    this.#hooks.operate('sync')
    const snapshot = this.#inode.snapshot()
    for (let turn = this.#hooks.syncTurns(); turn > 0; turn--) await settle()
    this.#hooks.operate('synced')
    this.#inode.makeDurable(snapshot)
  }

  async truncate(size: number): Promise<void> {
    this.#assertOpen()
    this.#hooks.operate('truncate')
    this.#inode.truncate(size)
    await settle()
  }

  close(): void {
    this.#isClosed = true
  }

  #assertOpen(): void {
    if (this.#isClosed) throw systemError('EBADF', `file is closed, '${this.path}'`)
  }
}

/** Asynchronous calls end in a later turn, in the order in which they began. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}

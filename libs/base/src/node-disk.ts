import * as fs from 'node:fs'
import * as path from 'node:path'
import type { Disk, DiskFile } from './disk'
import { errorCode } from './errors'

const TEMPORARY_SUFFIX = '.tmp'

/** The machine's file system. Errors are Node's own (`ENOENT`, `ENOSPC`, `EIO`). */
export const nodeDisk: Disk = {
  open: (file, mode) =>
    new NodeDiskFile(file, fs.openSync(file, mode === 'append' ? OPEN_OR_CREATE : 'r')),

  async readFile(file) {
    try {
      return await fs.promises.readFile(file)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null
      throw error
    }
  },

  async replaceFile(file, content) {
    const temporary = file + TEMPORARY_SUFFIX
    const handle = await fs.promises.open(temporary, 'w')
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.promises.rename(temporary, file)
    await syncDirectory(path.dirname(file))
  },

  async list(directory) {
    try {
      return (await fs.promises.readdir(directory)).sort()
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    }
  },

  async makeDirectory(directory) {
    await fs.promises.mkdir(directory, { recursive: true })
  },

  rename: (from, to) => fs.promises.rename(from, to),
  remove: (target) => fs.promises.rm(target, { recursive: true, force: true }),
  syncDirectory,

  async space(directory) {
    const { bsize, blocks, bavail } = await fs.promises.statfs(directory)
    return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
  },
}

const OPEN_OR_CREATE = fs.constants.O_RDWR | fs.constants.O_CREAT

async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.promises.open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

class NodeDiskFile implements DiskFile {
  readonly path: string
  readonly #fd: number
  #poolCalls = 0 // calls on the thread pool that still use #fd
  #isClosed = false

  constructor(file: string, fd: number) {
    this.path = file
    this.#fd = fd
  }

  size(): number {
    return fs.fstatSync(this.#fd).size
  }

  writev(buffers: readonly Buffer[], position: number): void {
    if (buffers.length === 1) return this.#write(buffers[0], position)
    let size = 0
    for (const buffer of buffers) size += buffer.length
    const written = fs.writevSync(this.#fd, buffers as Buffer[], position)
    if (written < size) this.#writeRest(buffers, position, written)
  }

  read(target: Buffer, targetStart: number, length: number, position: number): number {
    let total = 0
    while (total < length) {
      const count = fs.readSync(
        this.#fd,
        target,
        targetStart + total,
        length - total,
        position + total,
      )
      if (count === 0) break
      total += count
    }
    return total
  }

  async readLater(
    target: Buffer,
    targetStart: number,
    length: number,
    position: number,
  ): Promise<number> {
    let total = 0
    while (total < length) {
      const from = total
      const count = await this.#onPool<number>((done) =>
        fs.read(this.#fd, target, targetStart + from, length - from, position + from, done),
      )
      if (count === 0) break
      total += count
    }
    return total
  }

  sync(): Promise<void> {
    return this.#onPool((done) => fs.fdatasync(this.#fd, done))
  }

  truncate(size: number): Promise<void> {
    return this.#onPool((done) => fs.ftruncate(this.#fd, size, done))
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // The number may be given to another file as soon as it is closed: a call still on the pool must end first.
    if (this.#poolCalls === 0) fs.closeSync(this.#fd)
  }

  #write(buffer: Buffer, position: number): void {
    let written = 0
    while (written < buffer.length) {
      written += fs.writeSync(
        this.#fd,
        buffer,
        written,
        buffer.length - written,
        position + written,
      )
    }
  }

  /** A write may stop short (a nearly full disk, a signal): the rest goes buffer by buffer until it fails or is done. */
  #writeRest(buffers: readonly Buffer[], position: number, written: number): void {
    let start = 0
    for (const buffer of buffers) {
      const skipped = Math.min(Math.max(written - start, 0), buffer.length)
      if (skipped < buffer.length) this.#write(buffer.subarray(skipped), position + start + skipped)
      start += buffer.length
    }
  }

  #onPool<Result = void>(
    call: (done: (error: Error | null, result?: Result) => void) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError(this.path))
      this.#poolCalls++
      call((error, result) => {
        this.#poolCalls--
        if (this.#isClosed && this.#poolCalls === 0) fs.closeSync(this.#fd)
        if (error) reject(error)
        else resolve(result as Result)
      })
    })
  }
}

/** Its number may be another file's by now. */
function closedError(file: string): Error {
  return Object.assign(new Error(`EBADF: file is closed, '${file}'`), { code: 'EBADF' })
}

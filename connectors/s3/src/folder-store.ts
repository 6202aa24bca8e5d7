import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigurationError, RetriableError } from '@millrace/connect-api'
import type { ObjectStore, ObjectUpload } from './store'

/** These mean that a human must act; anything else may pass by itself (a full disk, a lost mount). */
const CONFIGURATION_CODES = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'])

/** Objects as files below `folder`: the key is the path. */
export class FolderStore implements ObjectStore {
  readonly #folder: string
  #createdCount = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async open(): Promise<void> {
    await attempt(`creating the folder ${this.#folder}`, () =>
      mkdir(this.#folder, { recursive: true }),
    )
  }

  createObject(key: string): ObjectUpload {
    this.#createdCount += 1
    const path = join(this.#folder, key)
    return new FolderUpload(path, `${path}.${process.pid}-${this.#createdCount}.part`)
  }

  close(): void {}
}

/** Writes beside the final name and renames at the end, so that a reader never meets half an object. */
class FolderUpload implements ObjectUpload {
  readonly #path: string
  readonly #partPath: string
  #file: FileHandle | null = null
  /** Bytes that are in the file: what failed in between is written again at the same place. */
  #writtenBytes = 0
  #pending: Buffer[] = []

  constructor(path: string, partPath: string) {
    this.#path = path
    this.#partPath = partPath
  }

  async write(chunks: readonly Buffer[]): Promise<void> {
    this.#pending.push(...chunks)
    await attempt(`writing ${this.#partPath}`, () => this.#writePending())
  }

  async complete(): Promise<void> {
    await attempt(`storing ${this.#path}`, async () => {
      await this.#writePending()
      await this.#file?.sync()
      await rename(this.#partPath, this.#path)
      await syncFolder(dirname(this.#path))
      await this.#file?.close()
      this.#file = null
    })
  }

  async abort(): Promise<void> {
    try {
      await this.#file?.close()
      await rm(this.#partPath, { force: true })
    } catch {
      // A left-over part file has a name of its own and is never read.
    }
  }

  async #writePending(): Promise<void> {
    if (this.#file === null) {
      await mkdir(dirname(this.#partPath), { recursive: true })
      this.#file = await open(this.#partPath, 'w')
    }
    const bytes = Buffer.concat(this.#pending)
    let done = 0
    while (done < bytes.length) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        done,
        bytes.length - done,
        this.#writtenBytes + done,
      )
      done += bytesWritten
    }
    this.#writtenBytes += bytes.length
    this.#pending = []
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function attempt(what: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action()
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    if (CONFIGURATION_CODES.has(code)) {
      throw new ConfigurationError(`${what} failed (${code}): let the worker write there`, {
        cause,
      })
    }
    throw new RetriableError(`${what} failed (${code})`, { cause })
  }
}

import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigurationError, ConnectError, RetriableError } from '@millrace/connect-api'
import type { ObjectStore, ObjectUpload } from './store'

/** These mean that a human must act; anything else may pass by itself (a full disk, a lost mount). */
const CONFIGURATION_CODES = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENAMETOOLONG'])

/** Objects as files below `folder`: the key is the path. */
export class FolderStore implements ObjectStore {
  readonly #folder: string
  #createdCount = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async open(): Promise<void> {
    await attempt(`creating the folder ${this.#folder}`, () => makeFolder(this.#folder))
  }

  createObject(key: string): ObjectUpload {
    this.#createdCount += 1
    const path = join(this.#folder, pathOf(key))
    return new FolderUpload(path, `${path}.${process.pid}-${this.#createdCount}.part`)
  }

  close(): void {}
}

/** Keys are made of data: none may lead out of the folder, or be what no file can be called. */
function pathOf(key: string): string {
  const names = key.split('/').map((name) => (/^\.\.?$/.test(name) ? escape(name) : name))
  return names.join('/').replaceAll('\0', escape)
}

function escape(text: string): string {
  return Buffer.from(text).toString('hex').replace(/../g, '%$&').toUpperCase()
}

/** Writes beside the final name and renames at the end, so that a reader never meets half an object. */
class FolderUpload implements ObjectUpload {
  readonly #path: string
  readonly #partPath: string
  #file: FileHandle | null = null
  /** Bytes that are in the file: what failed in between is written again at the same place. */
  #writtenBytes = 0
  #pending: Buffer[] = []
  #isRenamed = false

  constructor(path: string, partPath: string) {
    this.#path = path
    this.#partPath = partPath
  }

  async write(chunks: readonly Buffer[]): Promise<void> {
    this.#pending.push(...chunks)
    if (this.#pending.length === 0) return
    await attempt(`writing ${this.#partPath}`, async () => this.#writePending(await this.#open()))
  }

  async complete(): Promise<void> {
    await attempt(`storing ${this.#path}`, async () => {
      if (!this.#isRenamed) await this.#publish()
      await syncFolder(dirname(this.#path))
    })
  }

  async abort(): Promise<void> {
    this.#pending = []
    try {
      await this.#file?.close()
      await rm(this.#partPath, { force: true })
    } catch {
      // A left-over part file has a name of its own and is never read.
    }
  }

  async #publish(): Promise<void> {
    const file = await this.#open()
    await this.#writePending(file)
    try {
      await file.sync()
    } catch (cause) {
      // Another fsync could succeed although these bytes are lost: only the records themselves help.
      const message = `storing ${this.#path} failed (fsync: ${codeOf(cause)}); restart the task`
      throw new ConnectError('fatal', message, { cause })
    }
    await rename(this.#partPath, this.#path)
    this.#isRenamed = true
    this.#file = null
    await file.close()
  }

  async #open(): Promise<FileHandle> {
    if (this.#file === null) {
      await makeFolder(dirname(this.#partPath))
      this.#file = await open(this.#partPath, 'w')
    }
    return this.#file
  }

  async #writePending(file: FileHandle): Promise<void> {
    const bytes = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending)
    let done = 0
    while (done < bytes.length) {
      const position = this.#writtenBytes + done
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position)
      done += bytesWritten
    }
    this.#writtenBytes += bytes.length
    this.#pending = []
  }
}

/** Makes the folders and their entries in the folders above durable. */
async function makeFolder(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true })
  if (firstMade === undefined) return
  for (let made = path; made.length >= firstMade.length; made = dirname(made))
    await syncFolder(dirname(made))
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
    if (cause instanceof ConnectError) throw cause
    const code = codeOf(cause)
    if (CONFIGURATION_CODES.has(code)) {
      throw new ConfigurationError(`${what} failed (${code}): let the worker write there`, {
        cause,
      })
    }
    throw new RetriableError(`${what} failed (${code})`, { cause })
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error'
}

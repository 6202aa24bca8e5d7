import type { Disk, DiskFile } from '@millrace/base'

interface Content {
  bytes: Buffer
  /** What a power loss leaves. */
  syncedBytes: Buffer
}

/** Files in memory that forget what was not synced when the power goes, and fail on request. */
export class MemoryDisk implements Disk {
  readonly files = new Map<string, Content>()
  syncCount = 0
  /** The next calls of this kind fail. */
  failing: 'sync' | 'write' | 'replace' | 'truncate' | null = null

  open(path: string): DiskFile {
    const content = this.files.get(path) ?? { bytes: Buffer.alloc(0), syncedBytes: Buffer.alloc(0) }
    this.files.set(path, content)
    return {
      path,
      size: () => content.bytes.length,
      writev: (buffers, position) => {
        this.#maybeFail('write')
        content.bytes = Buffer.concat([content.bytes.subarray(0, position), ...buffers])
      },
      read: (target, start, length, position) =>
        content.bytes.copy(target, start, position, position + length),
      sync: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        this.#maybeFail('sync')
        this.syncCount++
        content.syncedBytes = content.bytes
      },
      truncate: (size) => {
        return this.#async('truncate', () => {
          content.bytes = content.bytes.subarray(0, size)
        })
      },
      close: () => undefined,
    }
  }

  /** What a new process finds after the power came back. */
  loseUnsynced(): void {
    for (const content of this.files.values()) content.bytes = content.syncedBytes
  }

  async readFile(path: string): Promise<Buffer | null> {
    return this.files.get(path)?.bytes ?? null
  }

  replaceFile(path: string, content: Buffer | string): Promise<void> {
    return this.#async('replace', () => {
      const bytes = Buffer.from(content as string)
      this.files.set(path, { bytes, syncedBytes: bytes })
    })
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()].sort()
  }

  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.files.get(from)!)
    this.files.delete(from)
  }

  async remove(path: string): Promise<void> {
    this.files.delete(path)
  }

  async makeDirectory(): Promise<void> {}
  async syncDirectory(): Promise<void> {}

  async #async(kind: NonNullable<typeof this.failing>, action: () => void): Promise<void> {
    this.#maybeFail(kind)
    action()
  }

  #maybeFail(kind: NonNullable<typeof this.failing>): void {
    if (this.failing === kind) throw Object.assign(new Error('disk error'), { code: 'EIO' })
  }
}

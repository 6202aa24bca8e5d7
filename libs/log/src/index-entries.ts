import { invariant, type Disk, type DiskFile } from '@millrace/base'

const INITIAL_ENTRIES = 32

/**
 * Fixed-size entries of one index. While its segment grows they are in memory; once it is sealed they are in their file
 * and read one by one (a search of 2^17 entries costs 17 reads of the page cache), so old segments cost no memory.
 */
export class IndexEntries {
  readonly path: string
  readonly #disk: Disk
  readonly #entryBytes: number
  #memory: Buffer | null // null: sealed
  #file: DiskFile | null = null
  #count = 0

  private constructor(disk: Disk, path: string, entryBytes: number, memory: Buffer | null) {
    this.#disk = disk
    this.path = path
    this.#entryBytes = entryBytes
    this.#memory = memory
  }

  static createEmpty(disk: Disk, path: string, entryBytes: number): IndexEntries {
    return new IndexEntries(disk, path, entryBytes, Buffer.alloc(INITIAL_ENTRIES * entryBytes))
  }

  /** Opens the file of a sealed index. Null if it is absent or not made of whole entries. */
  static openSealed(disk: Disk, path: string, entryBytes: number): IndexEntries | null {
    const entries = new IndexEntries(disk, path, entryBytes, null)
    try {
      const size = entries.#open().size()
      if (size % entryBytes === 0) {
        entries.#count = size / entryBytes
        return entries
      }
    } catch {
      // Absent or unreadable: an index is always rebuilt from the segment.
    }
    entries.close()
    return null
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#count * this.#entryBytes
  }

  get isSealed(): boolean {
    return this.#memory === null
  }

  /** Makes room for one more entry; the caller fills `buffer` at `at`. */
  add(): { buffer: Buffer; at: number } {
    invariant(this.#memory !== null, 'a sealed index does not grow')
    const at = this.sizeBytes
    if (at === this.#memory.length) {
      const larger = Buffer.alloc(this.#memory.length * 2)
      this.#memory.copy(larger)
      this.#memory = larger
    }
    this.#count++
    return { buffer: this.#memory, at }
  }

  /** A view of entry `index`. */
  entry(index: number): Buffer {
    const at = index * this.#entryBytes
    if (this.#memory !== null) return this.#memory.subarray(at, at + this.#entryBytes)
    const target = Buffer.allocUnsafe(this.#entryBytes)
    const count = this.#open().read(target, 0, this.#entryBytes, at)
    invariant(count === this.#entryBytes, `${this.path} became shorter`)
    return target
  }

  /** The index of the last entry that `isAtMost` holds for, -1 if none; it must hold for a prefix of the entries. */
  findLast(isAtMost: (entry: Buffer) => boolean): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isAtMost(this.entry(middle))) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Keeps the first `count` entries, in memory again. */
  keep(count: number): void {
    const kept = Buffer.alloc(Math.max(count, INITIAL_ENTRIES) * this.#entryBytes)
    for (let index = 0; index < count; index++)
      this.entry(index).copy(kept, index * this.#entryBytes)
    this.close()
    this.#memory = kept
    this.#count = count
  }

  /** Writes all entries to the file, whole or not at all. */
  async save(): Promise<void> {
    if (this.#memory === null) return
    await this.#disk.replaceFile(this.path, this.#memory.subarray(0, this.sizeBytes))
  }

  /** Writes the file and lets go of the memory. The segment must not grow any more. */
  async seal(): Promise<void> {
    const count = this.#count
    await this.save()
    invariant(this.#count === count, 'an index must not change while it is sealed')
    this.#memory = null
  }

  /** Brings a sealed index into memory, so that it can grow. */
  unseal(): void {
    if (this.#memory === null) this.keep(this.#count)
  }

  /** Opens the file of a sealed index now rather than with the first look at an entry. */
  open(): void {
    if (this.#memory === null) this.#open()
  }

  close(): void {
    this.#file?.close()
    this.#file = null
  }

  #open(): DiskFile {
    this.#file ??= this.#disk.open(this.path, 'read')
    return this.#file
  }
}

import type { Disk, DiskFile } from '@millrace/base'
import { FRAME_HEADER_BYTES, decodeFrame, encodeFrame, findFrame } from './checksummed'
import { coordinationErrors } from './errors'
import type { Change } from './keyspace'

const MAGIC = 'MRJ1'

export interface OpenedJournal {
  readonly journal: Journal
  /** All changes that it holds, in order. */
  readonly changes: readonly Change[]
  /** Bytes of an unfinished last write that were cut off. */
  readonly tornBytes: number
}

/**
 * The append-only file of changes. One frame is what one fsync made durable: a frame is begun only when the one before
 * it is on the platter. So a damaged frame with a whole one after it is lost data, and a damaged last one a torn write.
 */
export class Journal {
  readonly #file: DiskFile
  #sizeBytes: number

  private constructor(file: DiskFile, sizeBytes: number) {
    this.#file = file
    this.#sizeBytes = sizeBytes
  }

  /** Opens or creates the file and cuts a torn tail. @throws PlatformError COORDINATION_JOURNAL_CORRUPT */
  static async open(disk: Disk, directory: string, name: string): Promise<OpenedJournal> {
    const path = `${directory}/${name}`
    const content = (await disk.readFile(path)) ?? Buffer.alloc(0)
    const { changes, validBytes } = parseJournal(content, path)
    const file = disk.open(path, 'append')
    try {
      await disk.syncDirectory(directory)
      if (validBytes < content.length) {
        await file.truncate(validBytes)
        await file.sync()
      }
    } catch (error) {
      file.close()
      throw error
    }
    const tornBytes = content.length - validBytes
    return { journal: new Journal(file, validBytes), changes, tornBytes }
  }

  get path(): string {
    return this.#file.path
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Resolves when the changes are durable (META-1). After a rejection the journal must not be used again. */
  async append(changes: readonly Change[]): Promise<void> {
    const frame = encodeFrame(MAGIC, JSON.stringify(changes))
    this.#file.writev([frame], this.#sizeBytes)
    this.#sizeBytes += frame.length
    await this.#file.sync()
  }

  /** Empties the file, once a snapshot holds its changes. */
  async clear(): Promise<void> {
    await this.#file.truncate(0)
    this.#sizeBytes = 0
    await this.#file.sync()
  }

  close(): void {
    this.#file.close()
  }
}

function parseJournal(content: Buffer, file: string): { changes: Change[]; validBytes: number } {
  const changes: Change[] = []
  let position = 0
  while (position < content.length) {
    const payload = decodeFrame(MAGIC, content, position)
    if (payload === null) break
    for (const change of JSON.parse(payload.toString()) as Change[]) {
      const previous = changes.at(-1)
      if (previous && change.revision !== previous.revision + 1) {
        const reason = `revision ${change.revision} follows ${previous.revision}`
        throw coordinationErrors.create('COORDINATION_JOURNAL_CORRUPT', { file, position, reason })
      }
      changes.push(change)
    }
    position += FRAME_HEADER_BYTES + payload.length
  }
  const later = position < content.length ? findFrame(MAGIC, content, position) : -1
  if (later !== -1) {
    const reason = `bad checksum or length, yet a whole entry follows at byte ${later}`
    throw coordinationErrors.create('COORDINATION_JOURNAL_CORRUPT', { file, position, reason })
  }
  return { changes, validBytes: position }
}

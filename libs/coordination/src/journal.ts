import type { Disk, DiskFile } from '@millrace/base'
import { FRAME_HEADER_BYTES, decodeFrame, encodeFrame, findFrame } from './checksummed'
import { coordinationErrors } from './errors'
import type { Change } from './keyspace'

const MAGIC = 'MRJ1'

export interface OpenedJournal {
  readonly journal: Journal
  /** All changes after the snapshot, in order. */
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

  /**
   * Opens or creates the file, which continues the snapshot of that revision, and cuts a torn tail.
   * @throws PlatformError COORDINATION_JOURNAL_CORRUPT
   */
  static async open(
    disk: Disk,
    directory: string,
    options: { name: string; snapshotRevision: number },
  ): Promise<OpenedJournal> {
    const path = `${directory}/${options.name}`
    const content = (await disk.readFile(path)) ?? Buffer.alloc(0)
    const { changes, validBytes } = parseJournal(content, path, options.snapshotRevision)
    const file = disk.open(path, 'append')
    try {
      await disk.syncDirectory(directory)
      if (validBytes < content.length) await file.truncate(validBytes)
      // A killed process may have left changes in the page cache only: nobody may see what a power loss would take back.
      await file.sync()
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

function parseJournal(
  content: Buffer,
  file: string,
  snapshotRevision: number,
): { changes: Change[]; validBytes: number } {
  const changes: Change[] = []
  let position = 0
  for (;;) {
    const payload = decodeFrame(MAGIC, content, position)
    if (payload === null) break
    for (const change of parseChanges(payload)) {
      const previous = changes.at(-1)?.revision ?? Math.min(snapshotRevision, change.revision - 1)
      if (change.revision !== previous + 1) {
        const reason = `revision ${change.revision} follows ${previous}`
        throw coordinationErrors.create('COORDINATION_JOURNAL_CORRUPT', { file, position, reason })
      }
      changes.push(change)
    }
    position += FRAME_HEADER_BYTES + payload.length
  }
  refuseLaterFrames(content, position, { file, snapshotRevision })
  const lastRevision = changes.at(-1)?.revision ?? 0
  // The snapshot has it all, and the power went before the journal was emptied: begin it anew.
  if (lastRevision <= snapshotRevision) return { changes: [], validBytes: 0 }
  const first = changes.findIndex((change) => change.revision > snapshotRevision)
  return { changes: changes.slice(first), validBytes: position }
}

/** A whole frame after a damaged one is lost data, unless the snapshot has it: then it has the damaged one as well. */
function refuseLaterFrames(
  content: Buffer,
  position: number,
  { file, snapshotRevision }: { file: string; snapshotRevision: number },
): void {
  for (
    let later = findFrame(MAGIC, content, position);
    later !== -1;
    later = findFrame(MAGIC, content, later + 1)
  ) {
    const [{ revision }] = parseChanges(decodeFrame(MAGIC, content, later)!)
    if (revision <= snapshotRevision) continue
    const reason = `bad checksum or length, yet a whole entry follows at byte ${later}`
    throw coordinationErrors.create('COORDINATION_JOURNAL_CORRUPT', { file, position, reason })
  }
}

function parseChanges(payload: Buffer): Change[] {
  return JSON.parse(payload.toString()) as Change[]
}

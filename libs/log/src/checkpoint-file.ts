import type { Disk } from '@millrace/base'
import { logErrors } from './errors'

const VERSION = '0'

/**
 * Kafka's checkpoint text: a version line, a line with the count, then one entry per line.
 * @throws PlatformError LOG_CORRUPT_FILE
 */
export function parseCheckpoint(file: string, text: string): string[] {
  const [version, count, ...rest] = text.split('\n')
  const lines = rest.filter((line) => line !== '')
  const fail = (reason: string) => logErrors.create('LOG_CORRUPT_FILE', { file, reason })
  if (version !== VERSION) throw fail(`its version is "${version}"`)
  if (String(lines.length) !== count) throw fail(`it has ${lines.length} entries, not ${count}`)
  return lines
}

export function formatCheckpoint(lines: readonly string[]): string {
  return [VERSION, lines.length, ...lines, ''].join('\n')
}

/** Offsets by `topic partition`, as the offset checkpoints of a log directory hold them. */
export type PartitionOffsets = Map<string, number>

/** @throws PlatformError LOG_CORRUPT_FILE */
export async function readOffsets(disk: Disk, file: string): Promise<PartitionOffsets> {
  const content = await disk.readFile(file)
  const offsets: PartitionOffsets = new Map()
  if (content === null) return offsets
  for (const line of parseCheckpoint(file, content.toString())) {
    const match = /^(\S+ \d+) (-?\d+)$/.exec(line)
    if (match === null) {
      throw logErrors.create('LOG_CORRUPT_FILE', { file, reason: `"${line}" is no entry` })
    }
    offsets.set(match[1], Number(match[2]))
  }
  return offsets
}

export function formatOffsets(offsets: PartitionOffsets): string {
  return formatCheckpoint([...offsets].map(([partition, offset]) => `${partition} ${offset}`))
}

/**
 * Replaces one file again and again, one write at a time: a caller that comes during a write shares the next one with all
 * others that came, and its promise settles when a content taken after its call is durable.
 */
export class FileSaver {
  readonly #disk: Disk
  readonly #path: string
  readonly #content: () => string | Buffer
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(disk: Disk, path: string, content: () => string | Buffer) {
    this.#disk = disk
    this.#path = path
    this.#content = content
  }

  /** @throws Node's error of the write. */
  save(): Promise<void> {
    if (this.#running === null) return this.#start()
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#next
  }

  /** Resolves when no write is under way or waits; how they ended, their callers know. */
  async whenIdle(): Promise<void> {
    for (let last = this.#last(); last !== null; last = this.#last()) {
      await last.catch(() => undefined)
    }
  }

  #last(): Promise<void> | null {
    return this.#next ?? this.#running
  }

  #start(): Promise<void> {
    this.#next = null
    const run = this.#disk.replaceFile(this.#path, this.#content()).finally(() => {
      if (this.#running === run) this.#running = null
    })
    this.#running = run
    return run
  }
}

import { type FileHandle, open } from 'node:fs/promises'
import {
  type Clock,
  ConfigurationError,
  int,
  NO_HEADERS,
  type SourcePosition,
  SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  STRING,
  sourceConnector,
  string,
} from '@millrace/connect-api'
import { LineSplitter } from './line-splitter'

const READ_BYTES = 64 * 1024
/** How long `poll` waits when the file has not grown. */
const IDLE_WAIT_MS = 500

/** Reads a growing text file, a record per line. */
export const fileSource = sourceConnector({
  name: 'file-source',
  classNames: ['org.apache.kafka.connect.file.FileStreamSourceConnector'],
  version: '0.1.0',
  doc: 'Sends the lines of a file to a topic and goes on as the file grows.',
  options: {
    file: string('file', { importance: 'HIGH', doc: 'Path of the file to read.' }),
    topic: string('topic', {
      importance: 'HIGH',
      doc: 'Topic to write to.',
      check: (name) => (name === '' ? 'the name of a topic' : null),
    }),
    batchSize: int('batch.size', {
      default: 2000,
      min: 1,
      importance: 'LOW',
      doc: 'Most records of one poll.',
    }),
  },
  createTask: (config, context) => new FileSourceTask(config, context),
})

interface FileSourceConfig {
  readonly file: string
  readonly topic: string
  readonly batchSize: number
}

class FileSourceTask implements SourceTask {
  readonly #config: FileSourceConfig
  readonly #context: SourceTaskContext
  readonly #partition: SourcePosition
  readonly #chunk = Buffer.allocUnsafe(READ_BYTES)
  readonly #stopping = new AbortController()
  /** Null while the file does not exist yet. */
  #handle: FileHandle | null = null
  #lines = new LineSplitter(0)
  /** Bytes of the file that were handed to the splitter. */
  #readPosition = 0

  constructor(config: FileSourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#partition = Object.freeze({ filename: config.file })
  }

  async start(): Promise<void> {
    const [stored] = await this.#context.offsets([this.#partition])
    const position = Number(stored?.position ?? 0)
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new ConfigurationError(
        `the stored position of ${this.#config.file} is not a byte offset: reset the connector's offsets`,
      )
    }
    this.#readPosition = position
    this.#lines = new LineSplitter(position)
  }

  async poll(): Promise<readonly SourceRecord[]> {
    const handle = (this.#handle ??= await openIfExists(this.#config.file))
    const records: SourceRecord[] = []
    if (handle !== null) await this.#fill(handle, records)
    if (records.length === 0) await waitOrStop(this.#context.clock, this.#stopping.signal)
    return records
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#handle?.close()
  }

  async #fill(handle: FileHandle, records: SourceRecord[]): Promise<void> {
    while (records.length < this.#config.batchSize) {
      const line = this.#lines.next()
      if (line !== null) {
        records.push(this.#recordOf(line))
        continue
      }
      const { bytesRead } = await handle.read(this.#chunk, 0, READ_BYTES, this.#readPosition)
      if (bytesRead === 0) return
      this.#readPosition += bytesRead
      this.#lines.push(this.#chunk.subarray(0, bytesRead))
    }
  }

  #recordOf(line: string): SourceRecord {
    return new SourceRecord({
      topic: this.#config.topic,
      partition: null,
      keySchema: null,
      key: null,
      valueSchema: STRING,
      value: line,
      timestamp: this.#context.clock.now(),
      headers: NO_HEADERS,
      sourcePartition: this.#partition,
      sourceOffset: { position: this.#lines.position },
    })
  }
}

async function openIfExists(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new ConfigurationError(`the file ${path} cannot be read`, { cause: error })
  }
}

async function waitOrStop(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(IDLE_WAIT_MS, signal)
  } catch {
    // Stopped: the poll ends with what it has, which is nothing.
  }
}

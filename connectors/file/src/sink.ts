import { type FileHandle, open } from 'node:fs/promises'
import {
  ConfigurationError,
  encodeSchemaless,
  RetriableError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  sinkConnector,
  string,
  type TopicPartitionOffset,
  type Value,
  valueEncoder,
} from '@millrace/connect-api'

/** Appends records to a text file, a line per record. */
export const fileSink = sinkConnector({
  name: 'file-sink',
  classNames: ['org.apache.kafka.connect.file.FileStreamSinkConnector'],
  version: '0.1.0',
  doc: 'Appends the values of records to a file, a line each; values that are no text are written as JSON.',
  options: {
    file: string('file', { importance: 'HIGH', doc: 'Path of the file to append to.' }),
  },
  createTask: (config, context) => new FileSinkTask(config.file, context),
})

class FileSinkTask implements SinkTask {
  readonly #path: string
  readonly #context: SinkTaskContext
  #handle: FileHandle | null = null

  constructor(path: string, context: SinkTaskContext) {
    this.#path = path
    this.#context = context
  }

  async start(): Promise<void> {
    try {
      this.#handle = await open(this.#path, 'a')
    } catch (cause) {
      throw new ConfigurationError(`the file ${this.#path} cannot be written`, { cause })
    }
    this.#context.logger.info('appending to file', { file: this.#path })
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    if (records.length === 0) return
    let text = ''
    for (const record of records) text += `${lineOf(record)}\n`
    try {
      await this.#handle?.appendFile(text)
    } catch (cause) {
      throw new RetriableError(`appending to ${this.#path} failed`, { cause })
    }
  }

  /** An offset is given out only after its lines are on disk. */
  async preCommit(
    delivered: readonly TopicPartitionOffset[],
  ): Promise<readonly TopicPartitionOffset[]> {
    await this.#handle?.datasync()
    return delivered
  }

  async stop(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }
}

function lineOf(record: SinkRecord): string {
  const { value, valueSchema } = record
  if (typeof value === 'string') return value
  if (valueSchema === null) return encodeSchemaless(value satisfies Value)
  return valueEncoder(valueSchema, { decimalFormat: 'NUMERIC', replaceNullWithDefault: true })(
    value,
  )
}

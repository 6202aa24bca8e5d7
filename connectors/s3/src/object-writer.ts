import type { SinkRecord } from '@millrace/connect-api'
import type { RecordFormat, RecordWriter } from '@millrace/formats'
import { GzipStream } from './gzip'
import type { OpenSpan } from './rotation'
import type { ObjectUpload } from './store'

export interface ObjectWriterOptions {
  readonly format: RecordFormat
  /** Level of gzip, or null for no compression. */
  readonly gzipLevel: number | null
}

/** One object on its way: records in, bytes to the store. */
export class ObjectWriter implements OpenSpan {
  readonly startOffset: number
  readonly firstTimestamp: number | null
  readonly closesAtMs: number
  #recordCount = 0
  readonly #writer: RecordWriter
  readonly #gzip: GzipStream | null
  readonly #upload: ObjectUpload
  /** The last bytes were handed to the upload: what remains is to complete it. */
  #isDrained = false

  constructor(
    first: SinkRecord,
    closesAtMs: number,
    upload: ObjectUpload,
    options: ObjectWriterOptions,
  ) {
    this.startOffset = first.offset
    this.firstTimestamp = first.timestamp
    this.closesAtMs = closesAtMs
    this.#upload = upload
    this.#writer = options.format.createWriter()
    this.#gzip = options.gzipLevel === null ? null : new GzipStream(options.gzipLevel)
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** @throws RecordError if the format cannot hold the value */
  add(record: SinkRecord): void {
    this.#writer.add(record)
    this.#recordCount += 1
  }

  /** Moves what was added on to the store, so that no more than a part is held in memory. @throws RetriableError, ConfigurationError */
  async flush(): Promise<void> {
    const chunks = this.#writer.take()
    const bytes = this.#gzip === null ? chunks : await this.#gzip.write(chunks)
    await this.#upload.write(bytes)
  }

  /** Makes the object visible. May be called again after a failure. @throws RetriableError, ConfigurationError */
  async complete(): Promise<void> {
    if (!this.#isDrained) {
      this.#isDrained = true // before the first await: bytes are taken from the writer only once
      const chunks = this.#writer.take()
      const bytes =
        this.#gzip === null
          ? chunks
          : [...(await this.#gzip.write(chunks)), ...(await this.#gzip.finish())]
      await this.#upload.write(bytes)
    }
    await this.#upload.complete()
  }

  abort(): Promise<void> {
    return this.#upload.abort()
  }
}

import type { SinkRecord } from '@millrace/connect-api'
import type { RecordFormat, RecordWriter } from '@millrace/formats'
import { GzipStream } from './gzip'
import type { ObjectUpload } from './store'

export interface ObjectWriterOptions {
  readonly format: RecordFormat
  /** Level of gzip, or null for no compression. */
  readonly gzipLevel: number | null
}

/** One object on its way: records in, bytes to the store. */
export class ObjectWriter {
  readonly #writer: RecordWriter
  readonly #gzip: GzipStream | null
  readonly #upload: ObjectUpload
  /** The last bytes were handed to the upload: what remains is to complete it. */
  #isDrained = false

  constructor(upload: ObjectUpload, options: ObjectWriterOptions) {
    this.#upload = upload
    this.#writer = options.format.createWriter()
    this.#gzip = options.gzipLevel === null ? null : new GzipStream(options.gzipLevel)
  }

  /** @throws RecordError if the format cannot hold the value; the object then is as before */
  add(record: SinkRecord): void {
    this.#writer.add(record)
  }

  /** Moves what is ready on to the store, so that little more than a part is held in memory. @throws RetriableError, ConfigurationError */
  async flush(): Promise<void> {
    const chunks = this.#writer.take()
    const bytes = this.#gzip === null ? chunks : await this.#gzip.write(chunks)
    // Also without bytes: a part that failed is tried again.
    await this.#upload.write(bytes)
  }

  /** Makes the object visible. May be called again after a failure. @throws RetriableError, ConfigurationError */
  async complete(): Promise<void> {
    if (!this.#isDrained) {
      this.#isDrained = true // before the first await: bytes are taken from the writer only once
      const chunks = this.#writer.finish()
      const bytes =
        this.#gzip === null
          ? chunks
          : [...(await this.#gzip.write(chunks)), ...(await this.#gzip.finish())]
      await this.#upload.write(bytes)
    }
    await this.#upload.complete()
  }

  async abort(): Promise<void> {
    this.#gzip?.destroy()
    await this.#upload.abort()
  }
}

import { createGzip, type Gzip } from 'node:zlib'

/** Compresses the bytes of one object on the thread pool, into one gzip stream. */
export class GzipStream {
  readonly #gzip: Gzip
  #output: Buffer[] = []
  #failure: Error | null = null

  constructor(level: number) {
    this.#gzip = createGzip({ level })
    this.#gzip.on('data', (chunk: Buffer) => this.#output.push(chunk))
    this.#gzip.on('error', (error) => {
      this.#failure = error
    })
  }

  /** Compresses the chunks; the result may come with a later call. */
  async write(chunks: readonly Buffer[]): Promise<readonly Buffer[]> {
    for (const chunk of chunks) {
      await new Promise<void>((resolve, reject) => {
        this.#gzip.write(chunk, (error) => (error ? reject(error) : resolve()))
      })
    }
    return this.#take()
  }

  /** The rest of the stream. */
  async finish(): Promise<readonly Buffer[]> {
    await new Promise<void>((resolve, reject) => {
      this.#gzip.once('end', resolve)
      this.#gzip.once('error', reject)
      this.#gzip.end()
    })
    return this.#take()
  }

  /** Frees the compressor's memory before its time. */
  destroy(): void {
    this.#gzip.destroy()
  }

  #take(): readonly Buffer[] {
    if (this.#failure) throw this.#failure
    const chunks = this.#output
    this.#output = []
    return chunks
  }
}

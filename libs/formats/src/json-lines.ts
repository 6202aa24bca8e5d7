import {
  type DecimalFormat,
  encodeSchemaless,
  type JsonOptions,
  type Schema,
  type SinkRecord,
  type ValueEncoder,
  valueEncoder,
} from '@millrace/connect-api'
import type { RecordFormat, RecordWriter } from './record-format'

/** Lines are gathered as text up to this many characters before they become bytes: one encoding call for many lines. */
const TEXT_CHUNK_CHARS = 64 * 1024

/** A JSON document per line, with a line feed after each. */
export function jsonLines(options: { readonly decimalFormat: DecimalFormat }): RecordFormat {
  const jsonOptions: JsonOptions = { ...options, replaceNullWithDefault: true }
  return { extension: '.json', createWriter: () => new JsonLinesWriter(jsonOptions) }
}

class JsonLinesWriter implements RecordWriter {
  readonly #options: JsonOptions
  #schema: Schema | null = null
  /** Of `schema`: most records of a file have the same one. */
  #encode: ValueEncoder = encodeSchemaless
  #text = ''
  #chunks: Buffer[] = []

  constructor(options: JsonOptions) {
    this.#options = options
  }

  add({ valueSchema, value }: SinkRecord): void {
    if (valueSchema !== this.#schema) {
      this.#encode =
        valueSchema === null ? encodeSchemaless : valueEncoder(valueSchema, this.#options)
      this.#schema = valueSchema
    }
    this.#text += `${this.#encode(value)}\n`
    if (this.#text.length >= TEXT_CHUNK_CHARS) this.#encodeText()
  }

  take(): readonly Buffer[] {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  finish(): readonly Buffer[] {
    if (this.#text !== '') this.#encodeText()
    return this.take()
  }

  #encodeText(): void {
    this.#chunks.push(Buffer.from(this.#text))
    this.#text = ''
  }
}

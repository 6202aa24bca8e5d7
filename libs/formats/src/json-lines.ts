import {
  type DecimalFormat,
  encodeSchemaless,
  type JsonOptions,
  type SinkRecord,
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
  #text = ''
  #chunks: Buffer[] = []

  constructor(options: JsonOptions) {
    this.#options = options
  }

  add({ valueSchema, value }: SinkRecord): void {
    const line =
      valueSchema === null
        ? encodeSchemaless(value)
        : valueEncoder(valueSchema, this.#options)(value)
    this.#text += `${line}\n`
    if (this.#text.length >= TEXT_CHUNK_CHARS) this.#encodeText()
  }

  take(): readonly Buffer[] {
    if (this.#text !== '') this.#encodeText()
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  #encodeText(): void {
    this.#chunks.push(Buffer.from(this.#text))
    this.#text = ''
  }
}

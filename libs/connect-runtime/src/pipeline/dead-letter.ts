import { errorMessage } from '@millrace/base'
import type { ProduceBatch, Producer } from '@millrace/client'
import type { RecordHeader } from '@millrace/record'
import { formatTrace } from '../errors'
import type { StageMark } from './stage'

/** A record as it was read from the log. The buffers are views of the fetched data. */
export interface RawRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export interface DeadLetterOptions {
  readonly topic: string
  readonly hasContextHeaders: boolean
  readonly connectorName: string
  readonly taskId: number
}

const PREFIX = '__connect.errors.'

/** Writes the records that a sink skipped to a topic. What was reported counts as handled only after `flush` (CONNECT-5). */
export class DeadLetterQueue {
  readonly #producer: Producer
  readonly #options: DeadLetterOptions
  #batch: ProduceBatch | null = null

  constructor(deps: { readonly producer: Producer }, options: DeadLetterOptions) {
    this.#producer = deps.producer
    this.#options = options
  }

  /** Adds a record to the batch that the next `flush` sends. @throws CLIENT_RECORD_TOO_LARGE */
  report(raw: RawRecord, mark: StageMark, error: unknown): void {
    this.#batch ??= this.#producer.begin()
    const headers = this.#options.hasContextHeaders
      ? [...raw.headers, ...contextHeaders(this.#options, raw, mark, error)]
      : raw.headers
    this.#batch.add(this.#options.topic, null, raw.timestamp, raw.key, raw.value, [...headers])
  }

  /** Resolves when the log has everything reported so far. */
  async flush(): Promise<void> {
    const batch = this.#batch
    if (batch === null) return
    this.#batch = null
    await batch.done()
  }
}

function contextHeaders(
  options: DeadLetterOptions,
  raw: RawRecord,
  mark: StageMark,
  error: unknown,
): RecordHeader[] {
  return [
    header('topic', raw.topic),
    header('partition', String(raw.partition)),
    header('offset', String(raw.offset)),
    header('connector.name', options.connectorName),
    header('task.id', String(options.taskId)),
    header('stage', mark.stage),
    header('class.name', mark.plugin),
    header('exception.class.name', classOf(error)),
    header('exception.message', errorMessage(error)),
    header('exception.stacktrace', formatTrace(error)),
  ]
}

function classOf(error: unknown): string {
  return (
    (error as { constructor?: { name?: string } } | null | undefined)?.constructor?.name ?? 'Error'
  )
}

function header(name: string, value: string): RecordHeader {
  return { key: PREFIX + name, value: Buffer.from(value) }
}

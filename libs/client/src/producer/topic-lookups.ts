import { errorMessage } from '@millrace/base'
import { ErrorCode, protocolError } from '@millrace/wire'
import type { Cluster } from '../cluster'
import type { ClientDeps } from '../options'
import { retry } from '../retry'
import { refusal } from '../refusal'

/** How old what is known of a topic may become: it may have got partitions. Kafka's `metadata.max.age.ms`. */
const METADATA_MAX_AGE_MS = 300_000
/** A topic that was just created needs a moment; after these many tries (about 1.5 s) something is wrong. */
const WARNING_ATTEMPT = 5

export interface TopicLookupDeps extends ClientDeps {
  readonly cluster: Cluster
  /** Ends the look-ups. */
  readonly signal: AbortSignal
}

export interface TopicLookupOptions {
  readonly timeoutMs: number
  /** The asking may create a topic. */
  readonly allowAutoTopicCreation: boolean
  /** All partitions have a leader. What it throws is a failure. */
  readonly onFound: (topic: string, partitionCount: number) => void
  readonly onFailure: (error: Error) => void
  /** After either. */
  readonly onSettled: () => void
}

/** Asks for topics until they have leaders, each once at a time. */
export class TopicLookups {
  readonly #deps: TopicLookupDeps
  readonly #options: TopicLookupOptions
  readonly #running = new Set<string>()
  readonly #foundAtMs = new Map<string, number>()

  constructor(deps: TopicLookupDeps, options: TopicLookupOptions) {
    this.#deps = deps
    this.#options = options
  }

  start(topic: string): void {
    if (this.#running.has(topic)) return
    this.#running.add(topic)
    this.#find(topic)
      .catch((error: unknown) => this.#options.onFailure(error as Error))
      .finally(() => {
        this.#running.delete(topic)
        this.#options.onSettled()
      })
  }

  /** Looks up again what was found too long ago. */
  refresh(topic: string, nowMs: number): void {
    const foundAtMs = this.#foundAtMs.get(topic)
    if (foundAtMs !== undefined && nowMs - foundAtMs > METADATA_MAX_AGE_MS) this.start(topic)
  }

  async #find(topic: string): Promise<void> {
    const { cluster, signal, logger, clock } = this.#deps
    const { timeoutMs, allowAutoTopicCreation } = this.#options
    const onRetry = (error: unknown, attempt: number) => {
      const level = attempt === WARNING_ATTEMPT ? 'warn' : 'debug'
      logger[level]('topic is looked up again', { topic, reason: errorMessage(error) })
    }
    const count = await retry(this.#deps, { signal, timeoutMs, onRetry }, async () => {
      const found = await cluster.lookUp(topic, allowAutoTopicCreation)
      if (found === undefined || found.partitions.length === 0) {
        throw protocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic ${topic}`)
      }
      if (found.partitions.some(({ leader }) => leader < 0))
        throw refusal(ErrorCode.LEADER_NOT_AVAILABLE, `topic ${topic}`)
      return found.partitions.length
    })
    if (signal.aborted) return
    this.#foundAtMs.set(topic, clock.monotonicMs())
    this.#options.onFound(topic, count)
  }
}

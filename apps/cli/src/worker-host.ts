import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { errorMessage } from '@millrace/base'
import type { Properties } from '@millrace/config'
import type { Logger, LogLevel } from '@millrace/telemetry'
import { cliErrors } from './errors'

/** What the thread is told, and what it tells. */
export interface WorkerStart {
  readonly properties: Properties
  readonly logLevel: LogLevel
}
export type HostMessage = ({ readonly type: 'start' } & WorkerStart) | { readonly type: 'close' }
export type ThreadMessage =
  | { readonly type: 'ready'; readonly restAddress: string }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'closed' }

const RESTART_DELAY_MS = { first: 500, max: 30_000 }
/** What Node gives as the id of a thread that has ended. */
const THREAD_GONE = -1
/** A thread that lived this long starts its back-off anew. */
const HEALTHY_AFTER_MS = 60_000

/**
 * Runs the Connect worker in a thread of its own. An uncaught error of a plugin ends only that thread, which is started again with
 * back-off; the broker does not notice.
 */
export class WorkerHost {
  readonly #logger: Logger
  #thread: Worker
  #startedAtMs = 0
  #restartDelayMs = RESTART_DELAY_MS.first
  #isClosing = false
  #hasBeenReady = false
  #start: WorkerStart | null = null
  #onReady: ((restAddress: string) => void) | null = null
  #onFirstFailure: ((error: Error) => void) | null = null

  /** Loads the thread's code at once, so that this happens while the broker starts. */
  constructor(logger: Logger) {
    this.#logger = logger
    this.#thread = this.#spawn()
  }

  /** Starts the worker; resolves with the REST address when it has read its config topic. @throws if its configuration or port is wrong */
  start(start: WorkerStart): Promise<string> {
    this.#start = start
    return new Promise((resolve, reject) => {
      this.#onReady = resolve
      this.#onFirstFailure = reject
      this.#send({ type: 'start', ...start })
    })
  }

  async close(): Promise<void> {
    this.#isClosing = true
    const thread = this.#thread
    if (thread.threadId === THREAD_GONE) return
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
    this.#send({ type: 'close' })
    await ended
  }

  #send(message: HostMessage): void {
    this.#thread.postMessage(message)
  }

  #spawn(): Worker {
    const thread = new Worker(join(__dirname, 'worker-thread.js'))
    this.#startedAtMs = performance.now()
    let reason = 'it exited'
    thread.on('message', (message: ThreadMessage) => {
      if (message.type === 'ready') this.#onThreadReady(message.restAddress)
      if (message.type === 'failed') {
        reason = message.reason
        this.#onThreadFailed(message.reason)
      }
    })
    thread.on('error', (error) => {
      reason = errorMessage(error)
    })
    thread.on('exit', () => this.#onExit(reason))
    return thread
  }

  /** A thread that is started again takes the port that this one got: others know the address by then. */
  #onThreadReady(restAddress: string): void {
    this.#hasBeenReady = true
    if (this.#start) {
      const properties = withPort(this.#start.properties, restAddress)
      this.#start = { ...this.#start, properties }
    }
    this.#onReady?.(restAddress)
  }

  /** Before the first start has come to anything, a failure ends the program: it is not worth another try. */
  #onThreadFailed(reason: string): void {
    if (!this.#hasBeenReady) this.#isClosing = true
    this.#onFirstFailure?.(new Error(reason))
  }

  #onExit(reason: string): void {
    if (this.#isClosing) return
    const error = cliErrors.create('CLI_WORKER_THREAD_FAILED', { reason })
    const livedMs = performance.now() - this.#startedAtMs
    this.#restartDelayMs =
      livedMs > HEALTHY_AFTER_MS
        ? RESTART_DELAY_MS.first
        : Math.min(this.#restartDelayMs * 2, RESTART_DELAY_MS.max)
    this.#logger.error('worker thread ended', { error, restartInMs: this.#restartDelayMs })
    setTimeout(() => {
      if (this.#isClosing) return
      this.#thread = this.#spawn()
      if (this.#start) this.#send({ type: 'start', ...this.#start })
    }, this.#restartDelayMs)
  }
}

/** The REST server's properties with the port that it got in place of 0. */
function withPort(properties: Properties, restAddress: string): Properties {
  const port = restAddress.slice(restAddress.lastIndexOf(':') + 1)
  const { listeners, 'rest.port': restPort } = properties
  return {
    ...properties,
    ...(typeof listeners === 'string' && { listeners: listeners.replace(/:0$/, `:${port}`) }),
    ...(restPort === '0' && { 'rest.port': port }),
  }
}

import { errorMessage, type Clock, type Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { classify, formatTrace } from '../errors'
import { Backoff, sleepUnlessAborted } from '../pipeline/retry'

/** States of a task as the status topic has them. */
export type TaskState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING'

/** One life of a task, from start to the first failure or stop. */
export interface TaskAttempt {
  /** Resolves after `stop`; rejects with what made the task fail. Either way everything is closed. */
  run(): Promise<void>
  stop(): void
  setPaused(isPaused: boolean): void
}

/** How a running attempt tells its state. */
export interface TaskReporter {
  /** The task has started and has not shown yet whether it works. */
  onStarted(): void
  /** The task works (again). */
  onHealthy(): void
  /** The task cannot go on for now and keeps trying. */
  onTrouble(error: unknown): void
  onPaused(): void
}

export interface SupervisorDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly createAttempt: (reporter: TaskReporter) => Promise<TaskAttempt>
  /** Stores the state; a cause while RUNNING means that the task is trying again. */
  readonly onState: (state: TaskState, trace: string | null) => void
}

const RESTART_INITIAL_MS = 500
const RESTART_MAX_MS = 60_000

/**
 * Keeps one task alive: a failure that may pass is answered with a fresh attempt after a pause, and the task stays
 * RUNNING with the cause in its trace; any other failure ends the task as FAILED. Nothing it runs can throw past it.
 */
export class TaskSupervisor {
  readonly #deps: SupervisorDeps
  readonly #aborter = new AbortController()
  readonly #backoff: Backoff
  #attempt: TaskAttempt | null = null
  #isPaused: boolean
  #state: TaskState = 'UNASSIGNED'
  /** Message of the cause that is stored now: a cause that repeats is not stored again. */
  #cause: string | null = null
  #finished: Promise<void> = Promise.resolve()

  constructor(deps: SupervisorDeps, options: { readonly isPaused: boolean }) {
    this.#deps = deps
    this.#isPaused = options.isPaused
    this.#backoff = new Backoff(deps, { initialMs: RESTART_INITIAL_MS, maxMs: RESTART_MAX_MS })
  }

  get state(): TaskState {
    return this.#state
  }

  start(): void {
    this.#finished = this.#superviseAttempts()
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#attempt?.setPaused(isPaused)
  }

  /** Ends the task and resolves when it has ended, or after `timeoutMs`, whichever is first. Returns whether it has ended. */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#aborter.abort()
    this.#attempt?.stop()
    const timer = new AbortController()
    const hasEnded = await Promise.race([
      this.#finished.then(() => true),
      sleepUnlessAborted(this.#deps.clock, timeoutMs, timer.signal).then(() => false),
    ])
    timer.abort()
    if (!hasEnded) this.#deps.logger.warn('task does not stop; going on without it', { timeoutMs })
    return hasEnded
  }

  async #superviseAttempts(): Promise<void> {
    const { signal } = this.#aborter
    while (!signal.aborted) {
      try {
        await this.#runAttempt()
        return
      } catch (thrown) {
        const error: unknown = thrown ?? new Error(`the task threw ${String(thrown)}`)
        if (signal.aborted) {
          this.#deps.logger.warn('task failed while it was stopping', { error })
          return
        }
        if (classify(error) !== 'retriable') {
          this.#deps.logger.error('task failed', { error })
          this.#report('FAILED', error)
          return
        }
        this.#report('RUNNING', error)
        const delayMs = this.#backoff.nextMs()
        this.#deps.logger.warn('task failed and starts again', { error, delayMs })
        await sleepUnlessAborted(this.#deps.clock, delayMs, signal)
      }
    }
  }

  async #runAttempt(): Promise<void> {
    const attempt = await this.#deps.createAttempt({
      onStarted: () => this.#report('RUNNING', null),
      onHealthy: () => {
        this.#backoff.reset()
        this.#report('RUNNING', null)
      },
      onTrouble: (error) => this.#report('RUNNING', error),
      onPaused: () => this.#report('PAUSED', null),
    })
    attempt.setPaused(this.#isPaused)
    this.#attempt = attempt
    if (this.#aborter.signal.aborted) attempt.stop() // stop() came while the attempt was being made
    try {
      await attempt.run()
    } finally {
      this.#attempt = null
    }
  }

  #report(state: TaskState, error: unknown): void {
    const cause = error === null ? null : errorMessage(error)
    if (state === this.#state && cause === this.#cause) return
    this.#state = state
    this.#cause = cause
    this.#deps.onState(state, error === null ? null : formatTrace(error))
  }
}

import type { ConnectRecord, Transform } from '@millrace/connect-api'
import type { Predicate } from './predicates'
import type { StageMark } from './stage'

export interface TransformStep {
  /** The alias in `transforms`. */
  readonly alias: string
  readonly className: string
  readonly transform: Transform
  /** Null applies the transform to every record. */
  readonly predicate: Predicate | null
  /** Whether the transform applies where the predicate does not hold. */
  readonly isNegated: boolean
}

/** Runs a record through the configured transforms, in order. Holds no state between records. */
export class TransformChain {
  readonly #steps: readonly TransformStep[]

  constructor(steps: readonly TransformStep[]) {
    this.#steps = steps
  }

  get isEmpty(): boolean {
    return this.#steps.length === 0
  }

  /**
   * The record after all transforms, or null if one dropped it. Sets `mark` to the step at work, so that the caller can
   * say which one threw. @throws whatever a transform throws
   */
  apply<R extends ConnectRecord>(record: R, mark: StageMark): R | null {
    let current = record
    for (const step of this.#steps) {
      mark.plugin = step.className
      if (step.predicate !== null && step.predicate(current) === step.isNegated) continue
      const next = step.transform(current)
      if (next === null) return null
      current = next
    }
    return current
  }
}

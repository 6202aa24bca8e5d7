import type { Missing } from './client.ts'

/** Scenarios around a bed of real servers, of which each suite has its own. */
export interface Suite {
  readonly name: string
  open(): Promise<OpenSuite | Missing>
}

export interface OpenSuite {
  /** Of the peer that the worker meets. */
  readonly version: string
  /** Run in this order: a scenario may go on from the one before. */
  readonly scenarios: readonly SuiteScenario[]
  readonly close: () => Promise<void>
}

export interface SuiteScenario {
  readonly name: string
  readonly run: () => Promise<void>
}

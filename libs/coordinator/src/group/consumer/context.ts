import type { Clock } from '@millrace/base'
import type { TopicsView } from '../../topics-view'
import type { Assignor } from '../assignor'

/** What holds for one group, by the broker's configs and its own. */
export interface ConsumerGroupOptions {
  /** A member that is silent for longer is taken out. */
  readonly sessionTimeoutMs: number
  /** How often members are told to come. */
  readonly heartbeatIntervalMs: number
  /** Shortest time between two target assignments. */
  readonly assignmentIntervalMs: number
  /** How old the topics that a pattern stands for may be. */
  readonly patternRefreshIntervalMs: number
  readonly maxSize: number
  /** The first is the default. */
  readonly assignors: readonly Assignor[]
}

/** What commands of a group look at besides the group. */
export interface ConsumerGroupContext {
  readonly clock: Clock
  readonly topics: TopicsView
  readonly options: ConsumerGroupOptions
}

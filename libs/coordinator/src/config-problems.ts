import type { ConfigProblem } from '@millrace/config'
import { groupConfigDefinition, type GroupOptions } from './config'
import { assignors } from './group/assignor'

type Key = keyof GroupOptions

/** What must not be above what. */
const ORDERED: readonly (readonly [lower: Key, upper: Key])[] = [
  ['minSessionTimeoutMs', 'maxSessionTimeoutMs'],
  ['consumerMinSessionTimeoutMs', 'consumerMaxSessionTimeoutMs'],
  ['consumerMinSessionTimeoutMs', 'consumerSessionTimeoutMs'],
  ['consumerSessionTimeoutMs', 'consumerMaxSessionTimeoutMs'],
  ['consumerMinHeartbeatIntervalMs', 'consumerMaxHeartbeatIntervalMs'],
  ['consumerMinHeartbeatIntervalMs', 'consumerHeartbeatIntervalMs'],
  ['consumerHeartbeatIntervalMs', 'consumerMaxHeartbeatIntervalMs'],
  ['consumerMinAssignmentIntervalMs', 'consumerMaxAssignmentIntervalMs'],
  ['consumerMinAssignmentIntervalMs', 'consumerAssignmentIntervalMs'],
  ['consumerAssignmentIntervalMs', 'consumerMaxAssignmentIntervalMs'],
]

/** What is wrong with keys of groups taken together. */
export function groupConfigProblems(options: GroupOptions): ConfigProblem[] {
  const nameOf = (key: Key) => groupConfigDefinition[key].name
  const problems = ORDERED.filter(([lower, upper]) => options[lower] > options[upper]).map(
    ([lower, upper]) => ({
      key: nameOf(lower),
      given: String(options[lower]),
      expected: `at most ${nameOf(upper)}`,
    }),
  )
  if (options.consumerHeartbeatIntervalMs >= options.consumerSessionTimeoutMs) {
    problems.push({
      key: nameOf('consumerHeartbeatIntervalMs'),
      given: String(options.consumerHeartbeatIntervalMs),
      expected: `less than ${nameOf('consumerSessionTimeoutMs')}`,
    })
  }
  const known = assignors.map(({ name }) => name)
  const isServed =
    options.consumerAssignors.length > 0 &&
    options.consumerAssignors.every((name) => known.includes(name))
  if (!isServed) {
    problems.push({
      key: nameOf('consumerAssignors'),
      given: options.consumerAssignors.join(),
      expected: `one or more of ${known.join(', ')}`,
    })
  }
  return problems
}

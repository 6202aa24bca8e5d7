import type { GroupOptions } from './config'
import type { Assignor } from './group/assignor'
import type { ConsumerGroupOptions } from './group/consumer/context'

/** What a group may have of its own, and what holds if it has not. */
export function consumerGroupOptions(
  options: GroupOptions,
  configs: Readonly<Record<string, string>>,
  assignors: readonly Assignor[],
): ConsumerGroupOptions {
  const own = (name: string, otherwise: number) => {
    const text = configs[name]
    const value = Number(text)
    return text === undefined || Number.isNaN(value) ? otherwise : value
  }
  return {
    sessionTimeoutMs: own('consumer.session.timeout.ms', options.consumerSessionTimeoutMs),
    heartbeatIntervalMs: own('consumer.heartbeat.interval.ms', options.consumerHeartbeatIntervalMs),
    assignmentIntervalMs: own(
      'consumer.assignment.interval.ms',
      options.consumerAssignmentIntervalMs,
    ),
    patternRefreshIntervalMs: options.consumerRegexRefreshIntervalMs,
    maxSize: options.consumerMaxSize,
    assignors: options.consumerAssignors.flatMap((name) =>
      assignors.filter((assignor) => assignor.name === name),
    ),
  }
}

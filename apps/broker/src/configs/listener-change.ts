import type { Listener } from '../listeners'

/**
 * What speaks against other listeners than now, as Kafka sees it: clients have been told of those that are advertised, and
 * those that are connected speak the protocol that their listener had.
 */
export function listenerProblems(
  before: readonly Listener[],
  after: readonly Listener[],
): string[] {
  return before.flatMap(({ name, advertised, security: { protocol } }) => {
    const next = after.find((listener) => listener.name === name)
    if (next === undefined)
      return advertised === null
        ? []
        : [`listener ${name} is advertised to clients: it cannot be removed while the broker runs`]
    return next.security.protocol === protocol
      ? []
      : [`the protocol of listener ${name} cannot be changed while it is open`]
  })
}

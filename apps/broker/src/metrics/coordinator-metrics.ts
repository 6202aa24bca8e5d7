import { loadTimesOf, partitionStatesOf, type LoadState } from '@millrace/coordinator'
import type { MetricFamily, Sample } from '@millrace/telemetry'
import type { BrokerServices } from '../services'

const CLASSIC_STATES = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty']
const CONSUMER_STATES = ['Empty', 'Assigning', 'Reconciling', 'Stable', 'Dead']

/** The groups and transactions that are coordinated here. */
export function coordinatorMetrics({ groups, transactions }: BrokerServices): MetricFamily[] {
  const countOf = (type: 'classic' | 'consumer', state: string) =>
    groups.countByState(type).get(state) ?? 0
  const countAll = (type: 'classic' | 'consumer') =>
    [...groups.countByState(type).values()].reduce((sum, count) => sum + count, 0)
  const ofGroups = 'kafka_coordinator_group_groupmetadatamanager'
  const name = 'kafka_server_group_coordinator_metrics'
  return [
    gauge(`${ofGroups}_numgroups`, 'Classic groups.', () => countAll('classic')),
    ...CLASSIC_STATES.map((state) =>
      gauge(
        `${ofGroups}_numgroups${state.toLowerCase()}`,
        `Classic groups in the state ${state}.`,
        () => countOf('classic', state),
      ),
    ),
    gauge(
      `${ofGroups}_numoffsets`,
      'Offsets that groups have committed.',
      () => groups.offsetCount,
    ),
    by('protocol', `${name}_group_count`, 'Groups by their protocol.', () =>
      (['classic', 'consumer'] as const).map((type) => ({ labels: [type], value: countAll(type) })),
    ),
    by('state', `${name}_consumer_group_count`, 'Groups of the consumer protocol.', () => {
      const counts = groups.countByState('consumer')
      return CONSUMER_STATES.map((state) => ({ labels: [state], value: counts.get(state) ?? 0 }))
    }),
    by('state', `${name}_num_partitions`, 'Partitions of __consumer_offsets.', () =>
      Object.entries(partitionStatesOf(groups.loadStates)).map(([state, value]) => ({
        labels: [state],
        value,
      })),
    ),
    ...groupCounters(groups, name),
    ...loadTimes(name, () => groups.loadStates),
    ...loadTimes('kafka_server_transaction_coordinator_metrics', () => transactions.loadStates),
  ]
}

function groupCounters({ counters }: BrokerServices['groups'], name: string): MetricFamily[] {
  const counter = (end: string, help: string, read: () => number): MetricFamily => ({
    name: `${name}_${end}_count`,
    type: 'counter',
    help,
    read: () => [{ value: read() }],
  })
  return [
    counter('offset_commit', 'Offsets that were committed.', () => counters.offsetCommits),
    counter('offset_expiration', 'Offsets that expired.', () => counters.offsetExpirations),
    counter('offset_deletion', 'Offsets that were deleted.', () => counters.offsetDeletions),
    counter(
      'group_completed_rebalance',
      'Rebalances of classic groups that came to their end.',
      () => counters.completedRebalances,
    ),
    counter(
      'consumer_group_rebalance',
      'New epochs of groups of the consumer protocol.',
      () => counters.consumerRebalances,
    ),
  ]
}

function loadTimes(name: string, states: () => LoadState[]): MetricFamily[] {
  const help = 'Of the partitions that are led here: how long loading them took, in ms.'
  return [
    gauge(`${name}_partition_load_time_max`, help, () => loadTimesOf(states()).maxMs),
    gauge(`${name}_partition_load_time_avg`, help, () => loadTimesOf(states()).avgMs),
  ]
}

function by(label: string, name: string, help: string, read: () => Sample[]): MetricFamily {
  return { name, type: 'gauge', help, labels: [label], read }
}

function gauge(name: string, help: string, value: () => number): MetricFamily {
  return { name, type: 'gauge', help, read: () => [{ value: value() }] }
}

import { boolean, int, oneOf, string, type Properties } from '@millrace/config'
import type { Configs } from '@millrace/controller'
import { brokerKeys } from './broker-keys'

const SHARE = 'Share groups are not served: no effect.'
const STREAMS = 'Streams groups are not served: no effect.'

/** Configs of a group; what it does not set is the broker's key of the same name with `group.` in front. */
export const groupDefinition = {
  consumerSessionTimeoutMs: int('consumer.session.timeout.ms', {
    default: 45_000,
    min: 1,
    unit: 'ms',
    doc: 'How long a member of a consumer group may be silent.',
  }),
  consumerHeartbeatIntervalMs: int('consumer.heartbeat.interval.ms', {
    default: 5000,
    min: 1,
    unit: 'ms',
    doc: 'How often members of a consumer group are to report.',
  }),
  consumerAssignmentIntervalMs: int('consumer.assignment.interval.ms', {
    default: 1000,
    min: 0,
    unit: 'ms',
    doc: 'The least time between two assignments of a consumer group.',
  }),
  shareAssignmentIntervalMs: int('share.assignment.interval.ms', {
    default: 1000,
    min: 0,
    doc: SHARE,
  }),
  shareAutoOffsetReset: string('share.auto.offset.reset', { default: 'latest', doc: SHARE }),
  shareDeliveryCountLimit: int('share.delivery.count.limit', { default: 5, min: 2, doc: SHARE }),
  shareHeartbeatIntervalMs: int('share.heartbeat.interval.ms', {
    default: 5000,
    min: 1,
    doc: SHARE,
  }),
  shareIsolationLevel: oneOf('share.isolation.level', ['read_uncommitted', 'read_committed'], {
    default: 'read_uncommitted',
    doc: SHARE,
  }),
  sharePartitionMaxRecordLocks: int('share.partition.max.record.locks', {
    default: 2000,
    min: 100,
    doc: SHARE,
  }),
  shareRecordLockDurationMs: int('share.record.lock.duration.ms', {
    default: 30_000,
    min: 1000,
    doc: SHARE,
  }),
  shareRenewAcknowledgeEnable: boolean('share.renew.acknowledge.enable', {
    default: true,
    doc: SHARE,
  }),
  shareSessionTimeoutMs: int('share.session.timeout.ms', { default: 45_000, min: 1, doc: SHARE }),
  streamsAssignmentIntervalMs: int('streams.assignment.interval.ms', {
    default: 1000,
    min: 0,
    doc: STREAMS,
  }),
  streamsHeartbeatIntervalMs: int('streams.heartbeat.interval.ms', {
    default: 5000,
    min: 1,
    doc: STREAMS,
  }),
  streamsInitialRebalanceDelayMs: int('streams.initial.rebalance.delay.ms', {
    default: 3000,
    min: 0,
    doc: STREAMS,
  }),
  streamsNumStandbyReplicas: int('streams.num.standby.replicas', {
    default: 0,
    min: 0,
    doc: STREAMS,
  }),
  streamsSessionTimeoutMs: int('streams.session.timeout.ms', {
    default: 45_000,
    min: 1,
    doc: STREAMS,
  }),
}

const BOUNDED = ['session.timeout.ms', 'heartbeat.interval.ms', 'assignment.interval.ms']

/** What the broker's `group.consumer.min.*` and `.max.*` do not allow; a heartbeat must come before the session ends. */
export function groupProblems(configs: Configs, broker: Properties): string[] {
  const ofBroker = (name: string): number =>
    Number(broker[name] ?? String(brokerKeys.get(name)?.default))
  const problems = BOUNDED.flatMap((name) => {
    const given = configs[`consumer.${name}`]
    const [min, max] = ['min', 'max'].map((bound) => ofBroker(`group.consumer.${bound}.${name}`))
    return given === undefined || (Number(given) >= min && Number(given) <= max)
      ? []
      : [`consumer.${name}=${given} is not valid: expected ${min} to ${max}, as the broker allows`]
  })
  const [session, heartbeat] = BOUNDED.map((name) =>
    Number(configs[`consumer.${name}`] ?? ofBroker(`group.consumer.${name}`)),
  )
  return session > heartbeat
    ? problems
    : [...problems, 'consumer.session.timeout.ms must be longer than the heartbeat interval']
}

import { controllerErrors } from './errors'
import type { BrokerImage } from './metadata-image'
import type { PartitionRecord } from './records'

/** A manual assignment: which brokers hold the partition, the preferred leader first. */
export interface PartitionAssignment {
  readonly partitionIndex: number
  readonly brokerIds: readonly number[]
}

export interface Placement {
  readonly topic: string
  readonly firstPartitionIndex: number
  readonly partitionCount: number
  readonly replicationFactor: number
  /** Where in the list of brokers the first partition begins, so that topics do not all lead on the same one. */
  readonly startIndex: number
}

/** Spreads leaders and followers round-robin. @throws PlatformError CONTROLLER_INVALID_REPLICATION_FACTOR */
export function placeReplicas(
  placement: Placement,
  brokers: readonly BrokerImage[],
): PartitionRecord[] {
  const { topic, firstPartitionIndex, partitionCount, replicationFactor, startIndex } = placement
  if (replicationFactor > brokers.length) {
    throw controllerErrors.create('CONTROLLER_INVALID_REPLICATION_FACTOR', {
      name: topic,
      given: replicationFactor,
      reason: `only ${brokers.length} broker(s) are registered`,
    })
  }
  return Array.from({ length: partitionCount }, (_, index) => {
    const first = startIndex + firstPartitionIndex + index
    return newPartition(
      Array.from(
        { length: replicationFactor },
        (_, replica) => brokers[(first + replica) % brokers.length].id,
      ),
    )
  })
}

/** Checks a manual assignment of the partitions from `firstPartitionIndex` on. @throws PlatformError CONTROLLER_INVALID_ASSIGNMENT */
export function assignManually(
  topic: string,
  assignments: readonly PartitionAssignment[],
  options: {
    brokers: readonly BrokerImage[]
    firstPartitionIndex: number
    /** Null: that of the first partition given. */
    replicationFactor: number | null
  },
): PartitionRecord[] {
  const refuse = (reason: string) =>
    controllerErrors.create('CONTROLLER_INVALID_ASSIGNMENT', { name: topic, reason })
  const replicationFactor = options.replicationFactor ?? assignments[0].brokerIds.length
  const registered = new Set(options.brokers.map((broker) => broker.id))
  const partitions: PartitionRecord[] = new Array<PartitionRecord>(assignments.length)
  for (const { partitionIndex, brokerIds } of assignments) {
    const position = partitionIndex - options.firstPartitionIndex
    if (!Number.isInteger(position) || position < 0 || position >= assignments.length) {
      throw refuse('partitions must be numbered consecutively')
    }
    if (partitions[position]) throw refuse(`partition ${partitionIndex} occurs twice`)
    if (brokerIds.length === 0) throw refuse(`partition ${partitionIndex} has no replica`)
    if (brokerIds.length !== replicationFactor) {
      throw refuse(
        `partition ${partitionIndex} has ${brokerIds.length} replicas, others ${replicationFactor}`,
      )
    }
    if (new Set(brokerIds).size !== brokerIds.length) {
      throw refuse(`partition ${partitionIndex} names a broker twice`)
    }
    const unknown = brokerIds.find((id) => !registered.has(id))
    if (unknown !== undefined) throw refuse(`broker ${unknown} is not registered`)
    partitions[position] = newPartition(brokerIds)
  }
  return partitions
}

function newPartition(replicas: readonly number[]): PartitionRecord {
  return { leader: replicas[0], leaderEpoch: 0, replicas, isr: replicas }
}

import type { PartitionImage } from '@millrace/controller'
import type { BrokerServices } from '../services'

const NOBODY = -1

/** Who leads a partition and who follows, as clients are told. One whose log directory has failed here is led by nobody. */
export function partitionState(
  topic: string,
  partition: PartitionImage,
  { nodeId, replicas }: BrokerServices,
) {
  const { index, leader, leaderEpoch, isr } = partition
  const isOffline = leader === nodeId && replicas.isOffline(topic, index)
  return {
    partitionIndex: index,
    leaderId: isOffline ? NOBODY : leader,
    leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: isOffline ? isr.filter((id) => id !== nodeId) : isr,
    offlineReplicas: isOffline ? [nodeId] : [],
  }
}

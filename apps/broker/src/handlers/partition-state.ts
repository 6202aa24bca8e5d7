import type { PartitionImage } from '@millrace/controller'
import type { RequestContext } from './request-context'
import { isTold, NO_BROKER } from './told-brokers'

/**
 * Who leads a partition and who follows, as clients are told. One whose log directory has failed here is led by nobody, and so is
 * one whose leader they could not find.
 */
export function partitionState(topic: string, partition: PartitionImage, ctx: RequestContext) {
  const { index, leader, leaderEpoch, isr } = partition
  const { nodeId, replicas } = ctx.broker
  const isOffline = leader === nodeId && replicas.isOffline(topic, index)
  return {
    partitionIndex: index,
    leaderId: isOffline || !isTold(leader, ctx) ? NO_BROKER : leader,
    leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: isOffline ? isr.filter((id) => id !== nodeId) : isr,
    offlineReplicas: isOffline ? [nodeId] : partition.replicas.filter((id) => !isTold(id, ctx)),
  }
}

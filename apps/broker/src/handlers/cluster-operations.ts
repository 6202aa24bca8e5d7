import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import type { RequestContext } from './request-context'

/** What the client may do to the cluster; nothing for those who may not describe it. */
export function clusterOperations(ctx: RequestContext): number {
  return ctx.allowsOnCluster(AclOperation.DESCRIBE)
    ? ctx.allowedOperations(ResourceType.CLUSTER, CLUSTER_NAME)
    : 0
}

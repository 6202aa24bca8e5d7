/**
 * ListPartitionReassignments, key 46 - served: 0 to 0.
 * Does: answers that no partition is on its way to another broker.
 * Gaps: none known.
 */
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { handler } from './handler'

export const listPartitionReassignments = handler(
  ApiKey.ListPartitionReassignments,
  { min: 0, max: 0 },
  (_request, ctx) => {
    const isAllowed = ctx.allowsOnCluster(AclOperation.DESCRIBE)
    const errorCode = isAllowed ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    return {
      throttleTimeMs: 0,
      errorCode,
      errorMessage: isAllowed ? null : errorText(errorCode),
      topics: [],
    }
  },
)

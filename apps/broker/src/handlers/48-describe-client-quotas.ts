/**
 * DescribeClientQuotas, key 48 - served: 0 to 1.
 * Does: lists the quotas of the entities that a filter takes.
 * Versions: 1 flexible.
 * Gaps: none known.
 */
import { recordKinds } from '@millrace/controller'
import { filterProblem, inKafkasOrder, matchesEntity, valuesInKafkasOrder } from '@millrace/quota'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { handler } from './handler'

export const describeClientQuotas = handler(
  ApiKey.DescribeClientQuotas,
  { min: 0, max: 1 },
  ({ components, strict }, ctx) => {
    if (!ctx.allowsOnCluster(AclOperation.DESCRIBE_CONFIGS))
      return failed(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    const problem = filterProblem(components)
    if (problem !== null)
      return failed(
        problem.isUnsupported ? ErrorCode.UNSUPPORTED_VERSION : ErrorCode.INVALID_REQUEST,
        problem.message,
      )
    const quotas = [...ctx.broker.metadata().records(recordKinds.quotas).values()]
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: '',
      entries: quotas
        .filter(({ entity }) => matchesEntity(entity, components, strict))
        .map(({ entity, values }) => ({
          entity: inKafkasOrder(
            Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
          ),
          values: valuesInKafkasOrder(values),
        })),
    }
  },
)

function failed(errorCode: number, errorMessage = errorText(errorCode)) {
  return { throttleTimeMs: 0, errorCode, errorMessage, entries: null }
}

import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ErrorCode, errorText } from '@millrace/wire'
import {
  ConfigResourceType,
  refusal,
  type ConfigOutcome,
  type ConfigResource,
} from '../configs/resources'
import type { RequestContext } from './request-context'
import { repeated } from './repeated'

interface ResourceOfRequest extends ConfigResource {
  readonly configs: readonly { readonly name: string }[]
}

/** Those that a request names more than once, for `refusalOfResource`. */
export function repeatedResources(resources: readonly ConfigResource[]): ReadonlySet<string> {
  return repeated(resources.map(keyOf))
}

function keyOf({ resourceType, resourceName }: ConfigResource): string {
  return `${resourceType}/${resourceName}`
}

/** What is wrong with a resource of a request that alters configs, before anything is looked up; null if nothing is. */
export function refusalOfResource(
  resource: ResourceOfRequest,
  twice: ReadonlySet<string>,
): ConfigOutcome | null {
  const { resourceType, configs } = resource
  if (twice.has(keyOf(resource)))
    return refusal(ErrorCode.INVALID_REQUEST, 'the resource is given more than once')
  if (new Set(configs.map(({ name }) => name)).size < configs.length)
    return refusal(ErrorCode.INVALID_REQUEST, 'a config is given more than once')
  const isKnown = Object.values<number>(ConfigResourceType).includes(resourceType)
  return isKnown
    ? null
    : refusal(ErrorCode.INVALID_REQUEST, `there is no resource type ${resourceType}`)
}

/** Null if the client may alter configs of the resource. */
export function refusalOfRight(
  resource: ConfigResource,
  ctx: RequestContext,
): ConfigOutcome | null {
  return refusalUnless(resource, AclOperation.ALTER_CONFIGS, ctx)
}

/** Null if the client has the right: on the topic, on the group, or on the cluster for all that is of brokers. */
export function refusalUnless(
  { resourceType, resourceName }: ConfigResource,
  operation: AclOperation,
  ctx: RequestContext,
): ConfigOutcome | null {
  switch (resourceType) {
    case ConfigResourceType.TOPIC:
      return ctx.allows(operation, ResourceType.TOPIC, resourceName)
        ? null
        : denied(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    case ConfigResourceType.GROUP:
      return ctx.allows(operation, ResourceType.GROUP, resourceName)
        ? null
        : denied(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    default:
      return ctx.allows(operation, ResourceType.CLUSTER, CLUSTER_NAME)
        ? null
        : denied(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  }
}

function denied(errorCode: number): ConfigOutcome {
  return refusal(errorCode, errorText(errorCode) ?? '')
}

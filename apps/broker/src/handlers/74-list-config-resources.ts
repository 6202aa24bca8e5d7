/**
 * ListConfigResources, key 74 - served: 0 to 1.
 * Does: names the resources whose configs can be described: topics, brokers, loggers, and the groups and client metrics
 * that have configs of their own.
 * Versions: 0 client metrics only; 1 by type.
 * Gaps: none known.
 */
import { recordKinds, type MetadataImage } from '@millrace/controller'
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { ConfigResourceType } from '../configs/resources'
import { handler } from './handler'

/** In the order of the answer. */
const LISTED = [
  ConfigResourceType.GROUP,
  ConfigResourceType.CLIENT_METRICS,
  ConfigResourceType.BROKER_LOGGER,
  ConfigResourceType.BROKER,
  ConfigResourceType.TOPIC,
] as const

export const listConfigResources = handler(
  ApiKey.ListConfigResources,
  { min: 0, max: 1 },
  (request, ctx) => {
    if (!ctx.allows(AclOperation.DESCRIBE_CONFIGS, ResourceType.CLUSTER, CLUSTER_NAME))
      return failed(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    const listed: readonly number[] =
      ctx.apiVersion === 0 ? [ConfigResourceType.CLIENT_METRICS] : LISTED
    const { resourceTypes } = request
    if (resourceTypes.some((type) => !listed.includes(type)))
      return failed(ErrorCode.UNSUPPORTED_VERSION)
    const image = ctx.broker.metadata()
    const wanted = listed.filter(
      (type) => resourceTypes.length === 0 || resourceTypes.includes(type),
    )
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      configResources: wanted.flatMap((resourceType) =>
        namesOf(resourceType, image).map((resourceName) => ({ resourceType, resourceName })),
      ),
    }
  },
)

function namesOf(resourceType: number, image: MetadataImage): string[] {
  switch (resourceType) {
    case ConfigResourceType.GROUP:
      return recordNames(image, 'group/')
    case ConfigResourceType.CLIENT_METRICS:
      return recordNames(image, 'client-metrics/')
    case ConfigResourceType.TOPIC:
      return [...image.topics.keys()]
    default:
      return image.brokers.map(({ id }) => String(id))
  }
}

function recordNames(image: MetadataImage, prefix: string): string[] {
  return Array.from(image.records(recordKinds.configs).keys())
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
}

function failed(errorCode: number) {
  return { throttleTimeMs: 0, errorCode, configResources: [] }
}

/**
 * DescribeConfigs, key 32 - served: 1 to 4.
 * Does: tells the configs of topics and of this broker, with their sources, synonyms, types and docs.
 * Versions: 1 synonyms; 3 types and documentation; 4 flexible.
 * Gaps: no dynamic broker configs, and no loggers, groups or client metrics as resources: those are INVALID_REQUEST.
 */
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { describeBrokerConfigs, describeTopicConfigs } from '../describe-configs'
import { handler, type RequestContext, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.DescribeConfigs>
type Resource = Request['resources'][number]

const TOPIC = 2
const BROKER = 4

export const describeConfigs = handler(
  ApiKey.DescribeConfigs,
  { min: 1, max: 4 },
  (request, ctx) => ({
    throttleTimeMs: 0,
    results: request.resources.map((resource) => describe(resource, request, ctx)),
  }),
)

function describe(resource: Resource, request: Request, ctx: RequestContext) {
  const found = findConfigs(resource, ctx)
  if (typeof found === 'number') return failed(resource, found, errorText(found))
  const { resourceType, resourceName, configurationKeys } = resource
  // Kafka's clients send an empty list, too, when they want all of them.
  const wantsAll = configurationKeys === null || configurationKeys.length === 0
  const configs = wantsAll ? found : found.filter(({ name }) => configurationKeys.includes(name))
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: configs.map((config) => ({
      ...config,
      synonyms: request.includeSynonyms ? config.synonyms : [],
      documentation: request.includeDocumentation ? config.documentation : null,
    })),
  }
}

function findConfigs({ resourceType, resourceName }: Resource, ctx: RequestContext) {
  const { config, nodeId } = ctx.broker
  if (resourceType === TOPIC) {
    const topic = ctx.broker.metadata().topics.get(resourceName)
    return topic
      ? describeTopicConfigs(config, topic.configs)
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }
  if (resourceType !== BROKER) return ErrorCode.INVALID_REQUEST
  if (resourceName === '') return [] // the cluster-wide dynamic defaults: there are none
  return resourceName === String(nodeId) ? describeBrokerConfigs(config) : ErrorCode.INVALID_REQUEST
}

function failed(resource: Resource, errorCode: number, errorMessage: string | null) {
  const { resourceType, resourceName } = resource
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
}

/**
 * DescribeConfigs, key 32 - served: 1 to 4.
 * Does: tells the configs of topics, of this broker, of all brokers by default, of groups, client metrics and loggers,
 * with their sources, synonyms, types and docs.
 * Versions: 1 synonyms; 3 types and documentation; 4 flexible.
 * Gaps: there are no eligible leader replicas: where nobody set min.insync.replicas it comes from the
 * defaults, where Kafka from 4.1 on shows a config of all brokers that it has set itself.
 */
import { errorMessage } from '@millrace/base'
import { recordKinds, validateTopicName } from '@millrace/controller'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, protocolError } from '@millrace/wire'
import { brokerNameProblem } from '../configs/alter'
import { clientMetricsDefinition } from '../configs/client-metrics-keys'
import {
  ConfigSource,
  describeBrokerConfigs,
  describeClusterDefaults,
  describeGroupConfigs,
  describeOwnConfigs,
  describeTopicConfigs,
  type ConfigEntry,
} from '../configs/describe'
import { groupDefinition } from '../configs/group-keys'
import { describeLoggers } from '../configs/loggers'
import { ConfigResourceType, recordKeyOf } from '../configs/resources'
import { wireFailureOf } from '../wire-failure'
import { refusalUnless } from './alterable-resource'
import { handler, type RequestContext, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.DescribeConfigs>
type Resource = Request['resources'][number]

export const describeConfigs = handler(
  ApiKey.DescribeConfigs,
  { min: 1, max: 4 },
  (request, ctx) => ({
    throttleTimeMs: 0,
    results: request.resources.map((resource) => describe(resource, request, ctx)),
  }),
)

function describe(resource: Resource, request: Request, ctx: RequestContext) {
  const { resourceType, resourceName, configurationKeys } = resource
  const refused = refusalUnless(resource, AclOperation.DESCRIBE_CONFIGS, ctx)
  if (refused) return { ...refused, resourceType, resourceName, configs: [] }
  try {
    const found = findConfigs(resource, ctx)
    // Kafka's clients send an empty list, too, when they want all of them.
    const wantsAll = configurationKeys === null || configurationKeys.length === 0
    const configs = wantsAll ? found : found.filter(({ name }) => configurationKeys.includes(name))
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: '', // as Kafka has it
      resourceType,
      resourceName,
      configs: configs.map((config) => ({
        ...config,
        synonyms: request.includeSynonyms ? config.synonyms : [],
        documentation: request.includeDocumentation ? config.documentation : null,
      })),
    }
  } catch (error) {
    const { errorCode } = wireFailureOf(error)
    return { errorCode, errorMessage: errorMessage(error), resourceType, resourceName, configs: [] }
  }
}

/** @throws what the client is answered */
function findConfigs(resource: Resource, ctx: RequestContext): ConfigEntry[] {
  const { resourceType, resourceName: name } = resource
  const { dynamicConfig, nodeId, logger } = ctx.broker
  const { layers } = dynamicConfig
  const image = ctx.broker.metadata()
  const own = image.records(recordKinds.configs).get(recordKeyOf(resource)) ?? {}
  switch (resourceType) {
    case ConfigResourceType.TOPIC: {
      validateTopicName(name)
      const topic = image.topics.get(name)
      if (!topic) throw protocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return describeTopicConfigs(layers, topic.configs)
    }
    case ConfigResourceType.BROKER:
      if (name === '') return describeClusterDefaults(layers)
      refuse(brokerNameProblem(name, nodeId))
      return describeBrokerConfigs(layers)
    case ConfigResourceType.BROKER_LOGGER:
      refuse(brokerNameProblem(name, nodeId))
      return describeLoggers(logger.levels)
    case ConfigResourceType.CLIENT_METRICS:
      refuse(name === '' ? 'a subscription has a name' : null)
      return describeOwnConfigs(clientMetricsDefinition, own, ConfigSource.CLIENT_METRICS)
    case ConfigResourceType.GROUP:
      refuse(name === '' ? 'a group has a name' : null)
      return describeGroupConfigs(groupDefinition, own, layers)
    default:
      throw protocolError(ErrorCode.INVALID_REQUEST, `there is no resource type ${resourceType}`)
  }
}

function refuse(problem: string | null): void {
  if (problem !== null) throw protocolError(ErrorCode.INVALID_REQUEST, problem)
}

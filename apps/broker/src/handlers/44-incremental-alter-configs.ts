/**
 * IncrementalAlterConfigs, key 44 - served: 0 to 1.
 * Does: sets, deletes, appends to and subtracts from configs of topics, brokers, the default of all brokers, groups and
 * client metrics, and sets levels of loggers. Each resource is changed as a whole or not at all.
 * Versions: 1 flexible.
 * Gaps: none known.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { alterConfigs, brokerNameProblem } from '../configs/alter'
import { applyChanges, operationOf, type ConfigChange } from '../configs/change'
import { alterLoggers } from '../configs/loggers'
import { ConfigResourceType, refusal, type ConfigOutcome } from '../configs/resources'
import { refusalOfResource, refusalOfRight, repeatedResources } from './alterable-resource'
import { handler, type RequestContext, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.IncrementalAlterConfigs>
type Resource = Request['resources'][number]

export const incrementalAlterConfigs = handler(
  ApiKey.IncrementalAlterConfigs,
  { min: 0, max: 1, order: 'change' },
  async ({ resources, validateOnly }, ctx) => {
    const twice = repeatedResources(resources)
    const responses = resources.map(async (resource) => {
      const { resourceType, resourceName } = resource
      const outcome =
        refusalOfResource(resource, twice) ?? (await alter(resource, validateOnly, ctx))
      return { ...outcome, resourceType, resourceName }
    })
    return { throttleTimeMs: 0, responses: await Promise.all(responses) }
  },
)

async function alter(
  resource: Resource,
  validateOnly: boolean,
  ctx: RequestContext,
): Promise<ConfigOutcome> {
  const changes = changesOf(resource)
  if (!Array.isArray(changes)) return changes
  const refused = refusalOfRight(resource, ctx)
  if (refused) return refused
  if (resource.resourceType !== ConfigResourceType.BROKER_LOGGER)
    return alterConfigs(
      ctx.broker,
      resource,
      (before, keyOf) => applyChanges(before, changes, keyOf),
      validateOnly,
    )
  const wrongBroker = brokerNameProblem(resource.resourceName, ctx.broker.nodeId)
  return wrongBroker === null
    ? alterLoggers(ctx.broker.logger.levels, changes, validateOnly)
    : refusal(ErrorCode.INVALID_REQUEST, wrongBroker)
}

function changesOf({ configs }: Resource): ConfigChange[] | ConfigOutcome {
  const changes: ConfigChange[] = []
  const withoutValue: string[] = []
  for (const { name, configOperation, value } of configs) {
    const operation = operationOf(configOperation)
    if (!operation)
      return refusal(ErrorCode.INVALID_REQUEST, `there is no operation ${configOperation}`)
    if (operation !== 'delete' && value === null) withoutValue.push(name)
    changes.push({ name, operation, value })
  }
  return withoutValue.length === 0
    ? changes
    : refusal(ErrorCode.INVALID_REQUEST, `a value is missing: ${withoutValue.join(', ')}`)
}

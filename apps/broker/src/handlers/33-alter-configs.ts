/**
 * AlterConfigs, key 33 - served: 0 to 2.
 * Does: replaces all configs of topics, brokers, the default of all brokers, groups and client metrics: what is not given
 * goes back to its default. Newer clients use IncrementalAlterConfigs.
 * Versions: 2 flexible.
 * Gaps: none known.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { alterConfigs } from '../configs/alter'
import { ConfigResourceType, refusal, type ConfigOutcome } from '../configs/resources'
import { refusalOfResource, refusalOfRight, repeatedResources } from './alterable-resource'
import { handler, type RequestContext, type RequestOf } from './handler'

type Resource = RequestOf<typeof ApiKey.AlterConfigs>['resources'][number]

export const legacyAlterConfigs = handler(
  ApiKey.AlterConfigs,
  { min: 0, max: 2, order: 'change' },
  async ({ resources, validateOnly }, ctx) => {
    const twice = repeatedResources(resources)
    const responses = resources.map(async (resource) => {
      const { resourceType, resourceName } = resource
      const outcome =
        refusalOfResource(resource, twice) ?? (await replace(resource, validateOnly, ctx))
      return { ...outcome, resourceType, resourceName }
    })
    return { throttleTimeMs: 0, responses: await Promise.all(responses) }
  },
)

async function replace(
  resource: Resource,
  validateOnly: boolean,
  ctx: RequestContext,
): Promise<ConfigOutcome> {
  const withoutValue = resource.configs.filter(({ value }) => value === null)
  if (withoutValue.length > 0) {
    const names = withoutValue.map(({ name }) => name).join(', ')
    return refusal(ErrorCode.INVALID_REQUEST, `a value is missing: ${names}`)
  }
  if (resource.resourceType === ConfigResourceType.BROKER_LOGGER)
    return refusal(ErrorCode.INVALID_REQUEST, 'levels of loggers are not altered by this request')
  const refused = refusalOfRight(resource, ctx)
  if (refused) return refused
  const configs = Object.fromEntries(resource.configs.map(({ name, value }) => [name, value ?? '']))
  return alterConfigs(ctx.broker, resource, () => configs, validateOnly)
}

/**
 * AlterClientQuotas, key 49 - served: 0 to 1.
 * Does: sets and removes quotas of users, client ids and addresses; all valid entries take effect at once.
 * Versions: 1 flexible.
 * Gaps: an endless quota is refused like one that is too large; to have none, remove it.
 */
import { recordKinds } from '@millrace/controller'
import {
  alterationProblem,
  entityOf,
  inKafkasOrder,
  planAlterations,
  type Alteration,
} from '@millrace/quota'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { isAddressOrHost } from '../quota-records'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext } from './handler'

interface Judged {
  readonly alteration: Alteration
  /** Null if it can be carried out. */
  readonly problem: string | null
}

export const alterClientQuotas = handler(
  ApiKey.AlterClientQuotas,
  { min: 0, max: 1, order: 'change' },
  async ({ entries, validateOnly }, ctx) => {
    if (!ctx.allowsOnCluster(AclOperation.ALTER_CONFIGS)) {
      const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
      return { throttleTimeMs: 0, entries: entries.map(answerWith(errorCode)) }
    }
    const judged = await judge(entries)
    const valid = judged.filter(({ problem }) => problem === null)
    const errorCode = validateOnly ? ErrorCode.NONE : await store(valid, ctx)
    return {
      throttleTimeMs: 0,
      entries: oneByEntity(judged).map(({ alteration, problem }) =>
        problem === null
          ? answerWith(errorCode)(alteration)
          : answerWith(ErrorCode.INVALID_REQUEST, problem)(alteration),
      ),
    }
  },
)

/** The first entry of an entity is carried out, and further ones are refused. */
async function judge(entries: readonly Alteration[]): Promise<Judged[]> {
  const judged: Judged[] = []
  const seen = new Set<string>()
  for (const { entity, ops } of entries) {
    const alteration = { entity: inKafkasOrder(entity), ops }
    const key = nameOf(alteration)
    const isSecond = seen.has(key)
    seen.add(key)
    const problem = isSecond
      ? 'The entity is there twice; only its first entry counts.'
      : (alterationProblem(alteration) ?? (await addressProblem(alteration)))
    judged.push({ alteration, problem })
  }
  return judged
}

/** Kafka tells one result for each entity, that of its last entry. */
function oneByEntity(judged: readonly Judged[]): Judged[] {
  return [...new Map(judged.map((one) => [nameOf(one.alteration), one])).values()]
}

/** Tells entities that are in order apart, also those that make no sense. */
function nameOf({ entity }: Alteration): string {
  return JSON.stringify(entity.map(({ entityType, entityName }) => [entityType, entityName]))
}

async function addressProblem(alteration: Alteration): Promise<string | null> {
  const { ip } = entityOf(alteration)
  if (ip === undefined || ip === null || (await isAddressOrHost(ip))) return null
  return `${ip} is neither an IP address nor a host that has one.`
}

async function store(valid: readonly Judged[], ctx: RequestContext): Promise<number> {
  const alterations = valid.map(({ alteration }) => alteration)
  try {
    await ctx.broker.controller.changeRecords(recordKinds.quotas, (present) =>
      planAlterations(present, alterations),
    )
    return ErrorCode.NONE
  } catch (error) {
    ctx.broker.logger.error('quotas not altered', { count: alterations.length, error })
    return wireFailureOf(error).errorCode
  }
}

function answerWith(errorCode: number, errorMessage?: string) {
  const message = errorCode === ErrorCode.NONE ? null : (errorMessage ?? errorText(errorCode))
  return ({ entity }: Alteration) => ({ errorCode, errorMessage: message, entity })
}

import {
  entityKey,
  isEntityType,
  QuotaName,
  type EntityPart,
  type EntityType,
  type QuotaEntity,
  type QuotaRecord,
} from './entity'

const LONG_MAX = 2 ** 63
const INT_MAX = 2 ** 31 - 1
/** Beyond this a rate that must be whole is not. */
const FRACTION_MAX = 1e-6

/** How large a quota may be, and whether it must be whole. */
const CLIENT_QUOTAS: Readonly<Record<string, { max: number; isWhole: boolean }>> = {
  [QuotaName.PRODUCE]: { max: LONG_MAX, isWhole: true },
  [QuotaName.FETCH]: { max: LONG_MAX, isWhole: true },
  [QuotaName.REQUEST]: { max: Number.MAX_VALUE, isWhole: false },
  [QuotaName.MUTATION]: { max: Number.MAX_VALUE, isWhole: false },
}
const IP_QUOTAS: typeof CLIENT_QUOTAS = {
  [QuotaName.CONNECTION]: { max: INT_MAX, isWhole: true },
}

/** One entry of a request. */
export interface Alteration {
  readonly entity: readonly EntityPart[]
  readonly ops: readonly {
    readonly key: string
    readonly value: number
    readonly remove: boolean
  }[]
}

/** Why Kafka refuses to set quotas for this, or null. That a host name leads to an address is the caller's to check. */
export function alterationProblem({ entity, ops }: Alteration): string | null {
  const problem = entityProblem(entity)
  if (problem !== null) return problem
  const quotas = entity.some(({ entityType }) => entityType === 'ip') ? IP_QUOTAS : CLIENT_QUOTAS
  const keys = ops.map(({ key }) => key)
  const twice = keys.find((key, at) => keys.indexOf(key) !== at)
  if (twice !== undefined) return `Quota ${twice} is given twice.`
  for (const { key, value, remove } of ops) {
    const valueIs = remove ? null : valueProblem(quotas, key, value)
    if (valueIs !== null) return valueIs
  }
  return null
}

/** An entity as it is stored. Of a type that a request names twice the last one counts, as in Kafka. */
export function entityOf({ entity }: Alteration): QuotaEntity {
  const named: Partial<Record<EntityType, string | null>> = {}
  for (const { entityType, entityName } of entity)
    if (isEntityType(entityType)) named[entityType] = entityName
  return named
}

/** What is to be stored for valid alterations of different entities: by key, null where no quota is left. */
export function planAlterations(
  present: ReadonlyMap<string, QuotaRecord>,
  alterations: readonly Alteration[],
): Map<string, QuotaRecord | null> {
  const changes = new Map<string, QuotaRecord | null>()
  for (const alteration of alterations) {
    const entity = entityOf(alteration)
    const key = entityKey(entity)
    const before = present.get(key)?.values ?? {}
    const values = { ...before }
    for (const op of alteration.ops) {
      if (op.remove) delete values[op.key]
      else values[op.key] = op.value
    }
    if (isSame(before, values)) continue
    changes.set(key, Object.keys(values).length === 0 ? null : { entity, values })
  }
  return changes
}

function entityProblem(entity: Alteration['entity']): string | null {
  if (entity.length === 0) return 'The entity is empty.'
  for (const { entityType, entityName } of entity) {
    if (!isEntityType(entityType)) return `Unhandled client quota entity type: ${entityType}.`
    if (entityName === '') return `Empty ${entityType} not supported.`
  }
  const types = new Set(entity.map(({ entityType }) => entityType))
  return types.has('ip') && types.size > 1 ? 'An ip goes together with no user or client-id.' : null
}

function valueProblem(quotas: typeof CLIENT_QUOTAS, key: string, value: number): string | null {
  if (!Object.hasOwn(quotas, key)) return `Invalid configuration key ${key}.`
  const { max, isWhole } = quotas[key]
  if (!(value > 0)) return `Quota ${key} must be greater than 0.`
  if (value > max) return `The value of ${key} is too large.`
  return isWhole && value % 1 > FRACTION_MAX ? `${key} cannot be a fraction.` : null
}

function isSame(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

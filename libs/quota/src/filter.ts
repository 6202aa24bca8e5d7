import { isEntityType, type EntityType, type QuotaEntity } from './entity'

/** How a filter names an entity: by its name, as the default, or any one of the type. */
export const MatchType = { EXACT: 0, DEFAULT: 1, ANY: 2 } as const

/** One part of a request's filter. */
export interface FilterComponent {
  readonly entityType: string
  readonly matchType: number
  readonly match: string | null
}

export interface FilterProblem {
  /** An entity type of a newer version, instead of a filter that makes no sense. */
  readonly isUnsupported: boolean
  readonly message: string
}

/** Why Kafka refuses a filter, or null. */
export function filterProblem(components: readonly FilterComponent[]): FilterProblem | null {
  const types = new Set<string>()
  for (const component of components) {
    const { entityType } = component
    if (entityType === '') return invalid('An entity type is empty.')
    if (types.has(entityType)) return invalid(`Entity type ${entityType} is there twice.`)
    types.add(entityType)
    if (!isEntityType(entityType))
      return { isUnsupported: true, message: `Unsupported entity type ${entityType}.` }
    const problem = matchProblem(component)
    if (problem !== null) return invalid(problem)
  }
  return types.has('ip') && types.size > 1
    ? invalid('A filter on ip goes together with no other one.')
    : null
}

/** Strictly, an entity has no other types than those of the filter. */
export function matchesEntity(
  entity: QuotaEntity,
  components: readonly FilterComponent[],
  isStrict: boolean,
): boolean {
  if (isStrict && Object.keys(entity).length !== components.length) return false
  return components.every(({ entityType, matchType, match }) => {
    const name = entity[entityType as EntityType]
    return name !== undefined && (matchType === MatchType.ANY || name === match)
  })
}

function matchProblem({ matchType, match }: FilterComponent): string | null {
  if (matchType === MatchType.EXACT) return match === null ? 'An exact match has no name.' : null
  if (matchType !== MatchType.DEFAULT && matchType !== MatchType.ANY)
    return `Unknown match type ${matchType}.`
  return match === null ? null : `Match type ${matchType} has a name.`
}

function invalid(message: string): FilterProblem {
  return { isUnsupported: false, message }
}

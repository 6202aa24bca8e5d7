/** Kafka's names of what a quota can be set for. */
export const ENTITY_TYPES = ['user', 'client-id', 'ip'] as const
export type EntityType = (typeof ENTITY_TYPES)[number]

/** Whom a quota is for: a user, a client id, both, or an address. Null stands for all that have no quota of their own. */
export type QuotaEntity = Readonly<Partial<Record<EntityType, string | null>>>

/** One word for what requests and answers name. */
export interface EntityPart {
  readonly entityType: string
  readonly entityName: string | null
}

/** The quotas of one entity, by their names. */
export interface QuotaRecord {
  readonly entity: QuotaEntity
  readonly values: Readonly<Record<string, number>>
}

/** Kafka's names of quotas. */
export const QuotaName = {
  PRODUCE: 'producer_byte_rate',
  FETCH: 'consumer_byte_rate',
  REQUEST: 'request_percentage',
  MUTATION: 'controller_mutation_rate',
  CONNECTION: 'connection_creation_rate',
} as const
export type QuotaName = (typeof QuotaName)[keyof typeof QuotaName]

/** As Kafka tells an entity, in whatever order it was named. Of a type that is there twice the last one counts. */
export function inKafkasOrder(entity: readonly EntityPart[]): EntityPart[] {
  const byType = new Map(entity.map((part) => [part.entityType, part]))
  return [...byType.values()].sort((one, other) => (one.entityType < other.entityType ? -1 : 1))
}

/** Kafka tells up to three quotas of an entity in this order. Four it tells in another, which we do not follow. */
const VALUE_ORDER: readonly string[] = [
  QuotaName.FETCH,
  QuotaName.MUTATION,
  QuotaName.REQUEST,
  QuotaName.PRODUCE,
  QuotaName.CONNECTION,
]

/** As Kafka tells the quotas of an entity, in whatever order they were set. */
export function valuesInKafkasOrder(
  values: QuotaRecord['values'],
): { readonly key: string; readonly value: number }[] {
  return Object.entries(values)
    .map(([key, value]) => ({ key, value }))
    .sort((one, other) => VALUE_ORDER.indexOf(one.key) - VALUE_ORDER.indexOf(other.key))
}

/** Its quotas are stored under this. */
export function entityKey(entity: QuotaEntity): string {
  return ENTITY_TYPES.filter((type) => entity[type] !== undefined)
    .map((type) => partOf(type, entity[type]!))
    .join('/')
}

/** The default of a type cannot be mistaken for one of that name. */
function partOf(type: EntityType, name: string | null): string {
  return name === null ? type : `${type}=${encodeURIComponent(name)}`
}

export function isEntityType(text: string): text is EntityType {
  return ENTITY_TYPES.some((type) => type === text)
}

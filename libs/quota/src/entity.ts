/** Kafka's names of what a quota can be set for. */
export const ENTITY_TYPES = ['user', 'client-id', 'ip'] as const
export type EntityType = (typeof ENTITY_TYPES)[number]

/** Whom a quota is for: a user, a client id, both, or an address. Null stands for all that have no quota of their own. */
export type QuotaEntity = Readonly<Partial<Record<EntityType, string | null>>>

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

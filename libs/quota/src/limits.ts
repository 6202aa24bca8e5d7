import { entityKey, type QuotaEntity, type QuotaName, type QuotaRecord } from './entity'

/** Clients whose limit is remembered; when there are more, all are forgotten and found anew. */
const REMEMBERED_MAX_COUNT = 10_000

/** Whose quotas are asked for. */
export interface QuotaClient {
  readonly user: string
  readonly clientId: string
}

/** What holds for a client, and with whom it shares it. */
export interface Limit {
  readonly perSecond: number
  /** The same for all who use up the same quota. */
  readonly owner: string
}

/** The limits of one quota by user and client id. The most specific one holds, as in Kafka. */
export class Limits {
  static readonly none = new Limits([], 'producer_byte_rate')
  readonly #byEntity = new Map<string, number>()
  readonly #remembered = new Map<string, Map<string, Limit | null>>()
  #rememberedCount = 0

  constructor(records: Iterable<QuotaRecord>, name: QuotaName) {
    for (const { entity, values } of records)
      if (entity.ip === undefined && values[name] !== undefined)
        this.#byEntity.set(entityKey(entity), values[name])
  }

  get isEmpty(): boolean {
    return this.#byEntity.size === 0
  }

  /** Null without a limit. */
  find(client: QuotaClient): Limit | null {
    const { user, clientId } = client
    let ofUser = this.#remembered.get(user)
    const known = ofUser?.get(clientId)
    if (known !== undefined) return known
    if (this.#rememberedCount >= REMEMBERED_MAX_COUNT) {
      this.#remembered.clear()
      this.#rememberedCount = 0
      ofUser = undefined
    }
    if (!ofUser) this.#remembered.set(user, (ofUser = new Map()))
    const limit = this.#search(client)
    ofUser.set(clientId, limit)
    this.#rememberedCount += 1
    return limit
  }

  #search({ user, clientId }: QuotaClient): Limit | null {
    const both = entityKey({ user, 'client-id': clientId })
    const candidates: readonly (readonly [entity: QuotaEntity, owner: string])[] = [
      [{ user, 'client-id': clientId }, both],
      [{ user, 'client-id': null }, both],
      [{ user }, entityKey({ user })],
      [{ user: null, 'client-id': clientId }, both],
      [{ user: null, 'client-id': null }, both],
      [{ user: null }, entityKey({ user })],
      [{ 'client-id': clientId }, entityKey({ 'client-id': clientId })],
      [{ 'client-id': null }, entityKey({ 'client-id': clientId })],
    ]
    for (const [entity, owner] of candidates) {
      const perSecond = this.#byEntity.get(entityKey(entity))
      if (perSecond !== undefined) return { perSecond, owner }
    }
    return null
  }
}

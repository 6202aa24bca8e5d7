/**
 * What the cluster keeps beside topics and brokers: one kind of record for each of configs, features, ACLs and the like.
 * A record has a key within its kind, and a value that is JSON. A new kind is one more row in `recordKinds`.
 */
import type { Operation, WatchEvent } from '@millrace/coordination'
import { controllerErrors } from './errors'

/** One ACL, in the numbers of Kafka's protocol: `libs/security` gives them a meaning. */
export interface AclRecord {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** What proves a user's password (RFC 5802), never the password: bytes are base64. */
export interface ScramRecord {
  readonly salt: string
  readonly storedKey: string
  readonly serverKey: string
  readonly iterations: number
}

/** A principal, `User` and its name. */
export interface PrincipalRecord {
  readonly type: string
  readonly name: string
}

/** A delegation token without what logs in: that is made from its id and a secret of the brokers. Times are of the wall clock. */
export interface TokenRecord {
  readonly owner: PrincipalRecord
  readonly requester: PrincipalRecord
  readonly renewers: readonly PrincipalRecord[]
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly maxAtMs: number
}

/** What is set for one entity: a user, a client id, both, or an address; null is the default of a type. */
export interface QuotasRecord {
  readonly entity: Readonly<Partial<Record<'user' | 'client-id' | 'ip', string | null>>>
  readonly values: Readonly<Record<string, number>>
}

/** Names a kind and carries the type of its values. */
export interface RecordKind<T> {
  /** Of its keys in the store, with the slash. */
  readonly prefix: string
  /** Never set: there for the type alone. */
  readonly value?: T
}

export const recordKinds = {
  /** Dynamic configs by resource: `broker/1`, `broker/` for the default of all brokers, `group/NAME`, `client-metrics/NAME`. */
  configs: { prefix: 'configs/' } as RecordKind<Readonly<Record<string, string>>>,
  /** Levels of finalised features by name. */
  features: { prefix: 'features/' } as RecordKind<number>,
  /** Who may do what, each rule under a key made of all its fields. */
  acls: { prefix: 'acls/' } as RecordKind<AclRecord>,
  /** Quotas by entity: `user=alice/client-id`, where a type without a name stands for its default. */
  quotas: { prefix: 'quotas/' } as RecordKind<QuotasRecord>,
  /** Passwords of SCRAM by `TYPE/USER`, the type as the protocol numbers the mechanism. */
  scram: { prefix: 'scram/' } as RecordKind<ScramRecord>,
  /** Delegation tokens by id. */
  tokens: { prefix: 'tokens/' } as RecordKind<TokenRecord>,
} as const

/** All records of one kind by key. A change makes a new map, so that a reader sees by identity whether anything changed. */
export type RecordsOf<T> = ReadonlyMap<string, T>

interface Held {
  readonly values: Map<string, unknown>
  readonly modRevisions: Map<string, number>
}

/** The records of every kind at one revision; immutable. */
export class ClusterRecords {
  static readonly empty = new ClusterRecords(new Map())
  readonly #byPrefix: ReadonlyMap<string, Held>

  private constructor(byPrefix: ReadonlyMap<string, Held>) {
    this.#byPrefix = byPrefix
  }

  of<T>(kind: RecordKind<T>): RecordsOf<T> {
    return (this.#byPrefix.get(kind.prefix)?.values ?? NONE) as RecordsOf<T>
  }

  /** Revision at which the record last changed; 0 if there is none. */
  modRevision(kind: RecordKind<unknown>, key: string): number {
    return this.#byPrefix.get(kind.prefix)?.modRevisions.get(key) ?? 0
  }

  /** This, with one revision's events. The same object if they touch no record. @throws PlatformError CONTROLLER_BAD_METADATA */
  apply(events: readonly WatchEvent[]): ClusterRecords {
    const changed = new Map<string, Held>()
    for (const event of events) {
      const fullKey = event.type === 'put' ? event.item.key : event.key
      const kind = Object.values(recordKinds).find(({ prefix }) => fullKey.startsWith(prefix))
      if (!kind) continue
      const held = changed.get(kind.prefix) ?? copyOf(this.#byPrefix.get(kind.prefix))
      changed.set(kind.prefix, held)
      const key = fullKey.slice(kind.prefix.length)
      if (event.type === 'put') {
        held.values.set(key, parse(fullKey, event.item.value))
        held.modRevisions.set(key, event.item.modRevision)
      } else {
        held.values.delete(key)
        held.modRevisions.delete(key)
      }
    }
    return changed.size === 0 ? this : new ClusterRecords(new Map([...this.#byPrefix, ...changed]))
  }
}

/** The store's operation that brings one record to `value`; null removes it. */
export function recordOperation<T>(kind: RecordKind<T>, key: string, value: T | null): Operation {
  const fullKey = kind.prefix + key
  return value === null
    ? { type: 'delete', key: fullKey }
    : { type: 'put', key: fullKey, value: JSON.stringify(value) }
}

const NONE: ReadonlyMap<string, unknown> = new Map()

function copyOf(held: Held | undefined): Held {
  return { values: new Map(held?.values), modRevisions: new Map(held?.modRevisions) }
}

/** Its bytes were checksummed by the store, so only another version can have written nonsense. */
function parse(key: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw controllerErrors.create('CONTROLLER_BAD_METADATA', { key, reason: 'not JSON' }, { cause })
  }
}

import { aclKey, type Acl } from './acl'
import { PatternType, WILDCARD } from './codes'

interface OfType {
  readonly literal: Map<string, Acl[]>
  readonly prefixed: Map<string, Acl[]>
  /** How many different prefixes there are of each length. */
  readonly prefixLengths: Map<number, number>
}

/** The rules by the resources that they cover: a question looks at few of them, and so does a change, however many there are. */
export class AclIndex {
  readonly #byKey = new Map<string, Acl>()
  readonly #byType = new Map<number, OfType>()

  constructor(acls: Iterable<Acl> = []) {
    for (const acl of acls) this.add(aclKey(acl), acl)
  }

  /** `key` is the rule's `aclKey`. A rule that is there already stays. */
  add(key: string, acl: Acl): void {
    if (this.#byKey.has(key)) return
    this.#byKey.set(key, acl)
    const found = this.#byType.get(acl.resourceType) ?? {
      literal: new Map<string, Acl[]>(),
      prefixed: new Map<string, Acl[]>(),
      prefixLengths: new Map<number, number>(),
    }
    this.#byType.set(acl.resourceType, found)
    const byName = namesOf(found, acl)
    const acls = byName.get(acl.resourceName)
    if (acls) return void acls.push(acl)
    byName.set(acl.resourceName, [acl])
    if (acl.patternType === PatternType.PREFIXED) countPrefix(found, acl.resourceName.length, 1)
  }

  remove(key: string): void {
    const acl = this.#byKey.get(key)
    if (!acl) return
    this.#byKey.delete(key)
    const found = this.#byType.get(acl.resourceType)!
    const byName = namesOf(found, acl)
    const acls = byName.get(acl.resourceName)!
    if (acls.length > 1) return void acls.splice(acls.indexOf(acl), 1)
    byName.delete(acl.resourceName)
    if (acl.patternType === PatternType.PREFIXED) countPrefix(found, acl.resourceName.length, -1)
  }

  /** Every rule of the type. */
  *ofType(resourceType: number): Generator<Acl> {
    const found = this.#byType.get(resourceType)
    if (!found) return
    for (const acls of found.literal.values()) yield* acls
    for (const acls of found.prefixed.values()) yield* acls
  }

  /** The rules that cover a resource: by its name, by a prefix of it, and those for all of its type. */
  covering(resourceType: number, name: string): readonly Acl[] {
    const found = this.#byType.get(resourceType)
    if (!found) return []
    const acls = [...(found.literal.get(name) ?? [])]
    if (name !== WILDCARD) acls.push(...(found.literal.get(WILDCARD) ?? []))
    for (const length of found.prefixLengths.keys())
      if (length <= name.length) acls.push(...(found.prefixed.get(name.slice(0, length)) ?? []))
    return acls
  }
}

function namesOf({ literal, prefixed }: OfType, acl: Acl): Map<string, Acl[]> {
  return acl.patternType === PatternType.PREFIXED ? prefixed : literal
}

function countPrefix({ prefixLengths }: OfType, length: number, by: 1 | -1): void {
  const count = (prefixLengths.get(length) ?? 0) + by
  if (count === 0) prefixLengths.delete(length)
  else prefixLengths.set(length, count)
}

import type { Acl } from './acl'
import { PatternType, WILDCARD } from './codes'

interface OfType {
  readonly literal: Map<string, Acl[]>
  readonly prefixed: Map<string, Acl[]>
  /** Of the prefixes, each once. */
  readonly prefixLengths: Set<number>
}

/** The rules by the resources that they cover: a question looks at few of them, however many there are. */
export class AclIndex {
  readonly #byType = new Map<number, OfType>()

  constructor(acls: Iterable<Acl>) {
    for (const acl of acls) this.#add(acl)
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
    for (const length of found.prefixLengths)
      if (length <= name.length) acls.push(...(found.prefixed.get(name.slice(0, length)) ?? []))
    return acls
  }

  #add(acl: Acl): void {
    const found = this.#byType.get(acl.resourceType) ?? {
      literal: new Map<string, Acl[]>(),
      prefixed: new Map<string, Acl[]>(),
      prefixLengths: new Set<number>(),
    }
    this.#byType.set(acl.resourceType, found)
    const isPrefixed = acl.patternType === PatternType.PREFIXED
    if (isPrefixed) found.prefixLengths.add(acl.resourceName.length)
    const byName = isPrefixed ? found.prefixed : found.literal
    const acls = byName.get(acl.resourceName)
    if (acls) acls.push(acl)
    else byName.set(acl.resourceName, [acl])
  }
}

import { inspect } from 'node:util'
import { errorName, ZERO_UUID } from '@millrace/wire'

/** What depends on the machine and the moment. */
const LEFT_OUT = new Set(['throttleTimeMs', 'host', 'port', 'clientHost'])
const MEMBER_ID = /^.*-?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[A-Za-z0-9_-]{22}$/

interface Ranked {
  readonly name?: string
  readonly index?: number
  readonly partitionIndex?: number
  readonly memberId?: string
}

/**
 * An answer in one line, as far as a client can rely on it. Texts count only by being there; ids that a server makes up get
 * numbers in the order in which they appear in a scenario.
 */
export class EssenceOf {
  readonly #known = new Map<unknown, string>()
  readonly #ownNames: RegExp

  /** `scenario`: how the names of its things begin, which are all called `it`. */
  constructor(scenario: string) {
    this.#ownNames = new RegExp(`\\b${scenario}(-\\d+)?\\b`, 'g')
  }

  lineOf(answer: unknown): string {
    const essence = this.#essence('', answer)
    return inspect(essence, { depth: null, breakLength: Infinity, compact: true, sorted: false })
  }

  #essence(name: string, value: unknown): unknown {
    if (Buffer.isBuffer(value)) return `${value.length} bytes`
    if (Array.isArray(value))
      return value
        .toSorted((one, other) => this.#rankOf(one).localeCompare(this.#rankOf(other)))
        .map((item) => this.#essence(name, item))
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value)
          .filter(([key, part]) => !LEFT_OUT.has(key) && !isNothing(part))
          .map(([key, part]) => [key, this.#essence(key, part)]),
      )
    return this.#scalar(name, value)
  }

  /** An answer tells topics, partitions and members in any order. */
  #rankOf(item: Ranked | null): string {
    const { name, index, partitionIndex, memberId } = item ?? {}
    return name || `${index ?? partitionIndex ?? this.#known.get(memberId) ?? ''}`
  }

  #scalar(name: string, value: unknown): unknown {
    if (typeof value === 'number' && /errorCode$/i.test(name)) return errorName(value)
    if (typeof value === 'string') {
      if (/message$/i.test(name)) return value === '' ? '' : 'in words'
      const called = value.replace(this.#ownNames, 'it')
      return called === value && MEMBER_ID.test(value) ? this.#numbered(value) : called
    }
    if (typeof value !== 'number' || value <= 0) return value
    if (name === 'producerId') return this.#numbered(value)
    return name === 'sessionId' ? 'a session' : value
  }

  #numbered(value: unknown): string {
    const known = this.#known.get(value) ?? `#${this.#known.size + 1}`
    this.#known.set(value, known)
    return known
  }
}

/** Structures that are there only in some versions, and names or ids that only others have. */
function isNothing(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return part === ZERO_UUID
  return !Array.isArray(part) && Object.values(part).every((value) => value === -1)
}

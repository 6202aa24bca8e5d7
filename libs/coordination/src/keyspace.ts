import type { KeyValue, Operation, Range, Transaction, WatchEvent } from './store'

/** What one transaction changed: the unit of the journal. */
export interface Change {
  readonly revision: number
  readonly operations: readonly Operation[]
}

/** The committed keys in memory, at one revision. */
export class Keyspace {
  readonly #items = new Map<string, KeyValue>()
  #revision = 0

  get revision(): number {
    return this.#revision
  }

  get(key: string): KeyValue | null {
    return this.#items.get(key) ?? null
  }

  range(prefix: string): Range {
    const items: KeyValue[] = []
    for (const item of this.#items.values()) if (item.key.startsWith(prefix)) items.push(item)
    items.sort((a, b) => (a.key < b.key ? -1 : 1))
    return { revision: this.#revision, items }
  }

  /** Takes over a snapshot; only for a new keyspace. */
  load(range: Range): void {
    for (const item of range.items) this.#items.set(item.key, item)
    this.#revision = range.revision
  }

  /** Applies a durable change and returns what watchers are told. */
  apply(change: Change): WatchEvent[] {
    this.#revision = change.revision
    return change.operations.map((operation) => {
      if (operation.type === 'delete') {
        this.#items.delete(operation.key)
        return { type: 'delete', key: operation.key, modRevision: change.revision }
      }
      const item = nextItem(this.get(operation.key), operation, change.revision)
      this.#items.set(item.key, item)
      return { type: 'put', item }
    })
  }
}

/**
 * Runs transactions on top of a keyspace without changing it, each seeing the ones before it. So a group of them can be
 * decided first, made durable together, and only then become visible.
 */
export class Draft {
  readonly #base: Keyspace
  readonly #changed = new Map<string, KeyValue | null>()
  #revision: number

  constructor(base: Keyspace) {
    this.#base = base
    this.#revision = base.revision
  }

  /** Decides one transaction; `change` is null if it changes nothing. */
  run(transaction: Transaction): { succeeded: boolean; revision: number; change: Change | null } {
    const succeeded = (transaction.compare ?? []).every(
      ({ key, target, equals }) => (this.#get(key)?.[target] ?? 0) === equals,
    )
    const requested = succeeded ? transaction.success : (transaction.failure ?? [])
    const operations = requested.filter(
      (operation) => operation.type === 'put' || this.#get(operation.key) !== null,
    )
    if (operations.length === 0) return { succeeded, revision: this.#revision, change: null }
    const change = { revision: ++this.#revision, operations }
    for (const operation of operations) {
      const item =
        operation.type === 'delete'
          ? null
          : nextItem(this.#get(operation.key), operation, change.revision)
      this.#changed.set(operation.key, item)
    }
    return { succeeded, revision: change.revision, change }
  }

  #get(key: string): KeyValue | null {
    const changed = this.#changed.get(key)
    return changed === undefined ? this.#base.get(key) : changed
  }
}

function nextItem(
  before: KeyValue | null,
  { key, value }: { key: string; value: string },
  revision: number,
): KeyValue {
  return {
    key,
    value,
    createRevision: before?.createRevision ?? revision,
    modRevision: revision,
    version: (before?.version ?? 0) + 1,
  }
}

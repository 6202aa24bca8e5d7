import { coordinationErrors } from './errors'
import type { Watch, WatchEvent, WatchListener } from './store'

/** Revisions kept for watches that begin in the past; older ones must read the range. */
const HISTORY_MAX_REVISIONS = 10_000

interface Watcher {
  readonly prefix: string
  readonly onEvents: WatchListener
  nextRevision: number
  isOpen: boolean
}

/**
 * The last changes, and who watches them. Each watcher has a position of its own in the one list, so nothing can be
 * missed, doubled or reordered between the catching up and the live part (META-4).
 */
export class ChangeHistory {
  readonly #watchers = new Set<Watcher>()
  #entries: (readonly WatchEvent[])[] = []
  #firstRevision = 1

  /** The revision that the next `add` must have. */
  get nextRevision(): number {
    return this.#firstRevision + this.#entries.length
  }

  /** Begins after a snapshot: earlier changes are unknown. */
  startAfter(revision: number): void {
    this.#firstRevision = revision + 1
  }

  add(events: readonly WatchEvent[]): void {
    this.#entries.push(events)
    // Cut in halves, so that dropping costs a constant per change.
    if (this.#entries.length > 2 * HISTORY_MAX_REVISIONS) {
      this.#firstRevision += this.#entries.length - HISTORY_MAX_REVISIONS
      this.#entries = this.#entries.slice(-HISTORY_MAX_REVISIONS)
    }
  }

  watch(prefix: string, fromRevision: number, onEvents: WatchListener): Watch {
    if (fromRevision < this.#firstRevision) {
      throw coordinationErrors.create('COORDINATION_REVISION_COMPACTED', {
        revision: fromRevision,
        oldestRevision: this.#firstRevision,
      })
    }
    const watcher = { prefix, onEvents, nextRevision: fromRevision, isOpen: true }
    this.#watchers.add(watcher)
    queueMicrotask(() => this.#deliver(watcher))
    return {
      close: () => {
        watcher.isOpen = false
        this.#watchers.delete(watcher)
      },
    }
  }

  /** Tells every watcher what was added. */
  deliverAll(): void {
    // One microtask each: a listener that throws is a bug, which must not stop the others before it ends the process.
    for (const watcher of this.#watchers) queueMicrotask(() => this.#deliver(watcher))
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.isOpen = false
    this.#watchers.clear()
  }

  #deliver(watcher: Watcher): void {
    while (watcher.isOpen && watcher.nextRevision < this.nextRevision) {
      const revision = watcher.nextRevision++
      const events = this.#entries[revision - this.#firstRevision].filter((event) =>
        keyOf(event).startsWith(watcher.prefix),
      )
      if (events.length > 0) watcher.onEvents(events, revision)
    }
  }
}

function keyOf(event: WatchEvent): string {
  return event.type === 'put' ? event.item.key : event.key
}

import { dirname } from 'node:path'
import { type Disk, errorMessage, type PlatformError } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { ChangeHistory } from './change-history'
import { coordinationErrors } from './errors'
import { Journal } from './journal'
import { type Change, Draft, Keyspace } from './keyspace'
import { readSnapshot, writeSnapshot } from './snapshot'
import type {
  KeyValue,
  Range,
  Store,
  Transaction,
  TransactionResult,
  Watch,
  WatchListener,
} from './store'

const JOURNAL_NAME = 'journal'
const SNAPSHOT_NAME = 'snapshot'
/** A journal above this is folded into the snapshot. */
const JOURNAL_MAX_BYTES = 1 << 20
/** Transactions waiting for the disk; more are refused. */
const PENDING_MAX_COUNT = 10_000
/** Transactions made durable by one fsync. */
const GROUP_MAX_COUNT = 1_000
/** etcd's default request limit, so that what works here works there. */
const TRANSACTION_MAX_BYTES = 1.5 * 1024 * 1024

export interface EmbeddedStoreOptions {
  /** Directory of the store's own; made if absent. Its owner must hold the lock of the data directory. */
  readonly directory: string
  readonly journalMaxBytes?: number
}

interface Pending {
  readonly transaction: Transaction
  readonly resolve: (result: TransactionResult) => void
  readonly reject: (error: PlatformError) => void
}

/**
 * The store of a single node: all keys in memory, changes in a checksummed journal, fsynced before the answer, and now
 * and then a snapshot. Concurrent transactions share one fsync; nothing is visible before it is durable (META-1, META-2).
 */
export class EmbeddedStore implements Store {
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #options: Required<EmbeddedStoreOptions>
  readonly #journal: Journal
  readonly #keyspace: Keyspace
  readonly #history: ChangeHistory
  #pending: Pending[] = []
  /** Resolves when the commits under way are done; null when idle. */
  #committing: Promise<void> | null = null
  /** Journal size at which the next snapshot is due. */
  #compactAtBytes: number
  /** Once set, no transaction is taken: what the journal holds is unknown. */
  #failure: PlatformError | null = null
  #isClosed = false

  private constructor(
    deps: { disk: Disk; logger: Logger },
    options: Required<EmbeddedStoreOptions>,
    state: { journal: Journal; keyspace: Keyspace; history: ChangeHistory },
  ) {
    this.#disk = deps.disk
    this.#logger = deps.logger
    this.#options = options
    this.#journal = state.journal
    this.#keyspace = state.keyspace
    this.#history = state.history
    this.#compactAtBytes = options.journalMaxBytes
  }

  /** Reads snapshot and journal. @throws PlatformError COORDINATION_SNAPSHOT_CORRUPT, COORDINATION_JOURNAL_CORRUPT */
  static async open(
    deps: { disk: Disk; logger: Logger },
    options: EmbeddedStoreOptions,
  ): Promise<EmbeddedStore> {
    const { disk, logger } = deps
    const { directory, journalMaxBytes = JOURNAL_MAX_BYTES } = options
    await disk.makeDirectory(directory)
    await disk.syncDirectory(dirname(directory)) // else the directory itself may be gone after a power loss
    const snapshot = await readSnapshot(disk, `${directory}/${SNAPSHOT_NAME}`)
    const { journal, changes, tornBytes } = await Journal.open(disk, directory, {
      name: JOURNAL_NAME,
      snapshotRevision: snapshot?.revision ?? 0,
    })
    if (tornBytes > 0) {
      logger.warn('cut an unfinished last write off the metadata journal', {
        file: journal.path,
        bytes: tornBytes,
      })
    }
    const keyspace = new Keyspace()
    const history = new ChangeHistory()
    if (snapshot) {
      keyspace.load(snapshot)
      history.startAfter(snapshot.revision)
    }
    for (const change of changes) history.add(keyspace.apply(change))
    return new EmbeddedStore(deps, { directory, journalMaxBytes }, { journal, keyspace, history })
  }

  get(key: string): Promise<KeyValue | null> {
    return Promise.resolve(this.#keyspace.get(key))
  }

  range(prefix: string): Promise<Range> {
    return Promise.resolve(this.#keyspace.range(prefix))
  }

  txn(transaction: Transaction): Promise<TransactionResult> {
    const refusal = this.#refusalOf(transaction)
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#pending.push({ transaction, resolve, reject })
      this.#committing ??= this.#commitAll()
    })
  }

  watch(prefix: string, fromRevision: number, onEvents: WatchListener): Watch {
    if (this.#isClosed) throw coordinationErrors.create('COORDINATION_CLOSED')
    return this.#history.watch(prefix, fromRevision, onEvents)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#committing
    this.#history.close()
    this.#journal.close()
  }

  #refusalOf(transaction: Transaction): PlatformError | null {
    if (this.#isClosed) return coordinationErrors.create('COORDINATION_CLOSED')
    if (this.#failure) return this.#failure
    if (this.#pending.length >= PENDING_MAX_COUNT) {
      return coordinationErrors.create('COORDINATION_OVERLOADED', { limit: PENDING_MAX_COUNT })
    }
    return validateTransaction(transaction)
  }

  /** Never rejects: a failure goes to those who wait, and stops the store. */
  async #commitAll(): Promise<void> {
    await Promise.resolve() // gather what is issued in the same turn
    while (this.#pending.length > 0) {
      const group = this.#pending.splice(0, GROUP_MAX_COUNT)
      try {
        if (this.#failure) throw this.#failure
        await this.#commit(group)
      } catch (error) {
        const failure = this.#fail(error)
        for (const { reject } of group) reject(failure)
      }
    }
    this.#committing = null
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    const draft = new Draft(this.#keyspace)
    const changes: Change[] = []
    const results = group.map(({ transaction }) => {
      const { succeeded, revision, change } = draft.run(transaction)
      if (change) changes.push(change)
      return { succeeded, revision }
    })
    if (changes.length > 0) {
      await this.#journal.append(changes)
      for (const change of changes) this.#history.add(this.#keyspace.apply(change))
      this.#history.deliverAll()
    }
    for (let index = 0; index < group.length; index++) group[index].resolve(results[index])
    if (this.#journal.sizeBytes >= this.#compactAtBytes) await this.#compact()
  }

  /** Folds the journal into the snapshot. A crash in between is harmless: replay skips what the snapshot has (META-3). */
  async #compact(): Promise<void> {
    const path = `${this.#options.directory}/${SNAPSHOT_NAME}`
    try {
      await writeSnapshot(this.#disk, path, this.#keyspace.range(''))
    } catch (error) {
      // The old snapshot and the journal still hold everything: go on, and try again later.
      this.#compactAtBytes = this.#journal.sizeBytes + this.#options.journalMaxBytes
      this.#logger.warn('could not write the metadata snapshot', { file: path, error })
      return
    }
    try {
      await this.#journal.clear()
      this.#compactAtBytes = this.#options.journalMaxBytes
    } catch (error) {
      this.#fail(error) // those of the group have their answer: their changes are in the snapshot
    }
  }

  #fail(cause: unknown): PlatformError {
    if (!this.#failure) {
      const file = this.#journal.path
      this.#failure = coordinationErrors.create('COORDINATION_STORE_FAILED', { file }, { cause })
      this.#logger.error('the metadata store has stopped', { file, reason: errorMessage(cause) })
    }
    return this.#failure
  }
}

function validateTransaction({ success, failure = [] }: Transaction): PlatformError | null {
  let bytes = 0
  for (const operations of [success, failure]) {
    const keys = new Set<string>()
    for (const operation of operations) {
      const { key } = operation
      if (keys.has(key)) return coordinationErrors.create('COORDINATION_DUPLICATE_KEY', { key })
      keys.add(key)
      bytes += Buffer.byteLength(key)
      if (operation.type === 'put') bytes += Buffer.byteLength(operation.value)
    }
  }
  if (bytes <= TRANSACTION_MAX_BYTES) return null
  const limit = TRANSACTION_MAX_BYTES
  return coordinationErrors.create('COORDINATION_TRANSACTION_TOO_LARGE', { bytes, limit })
}

import { parseConfig } from '@millrace/config'
import { batch, nextBatchSize } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { SimClock, SimRandom } from '@millrace/testing'
import { ErrorCode, protocolError } from '@millrace/wire'
import type { CoordinatorLog, TransactionMarker } from '../../src/coordinator-log'
import { transactionConfigDefinition, type TransactionOptions } from '../../src/txn/config'
import type { MarkerSender } from '../../src/txn/marker-sender'
import type { TopicPartition } from '../../src/txn/partitions'
import { TRANSACTION_V2 } from '../../src/txn/transaction'
import { TxnCoordinator } from '../../src/txn/txn-coordinator'

/** Chances in a hundred that something goes wrong each time; all 0 for a world in which nothing does. */
export interface Faults {
  readonly random: SimRandom
  /** The log says that a record was not stored in time: half of them are stored all the same. */
  logTimeout: number
  /** A marker is not written, or its answer is lost after it was. */
  markerFailure: number
  /** Longest time that a write or a marker takes. */
  delayMaxMs: number
}

export function noFaults(): Faults {
  return { random: new SimRandom(1), logTimeout: 0, markerFailure: 0, delayMaxMs: 0 }
}

function txnOptions(properties: Record<string, string>): TransactionOptions {
  const given = { 'transaction.state.log.num.partitions': '1', ...properties }
  const { config, problems } = parseConfig(transactionConfigDefinition, given)
  expect(problems).toEqual([])
  return config
}

/** One partition of records, with the rules of the log about producers and their transactions. */
export class SimPartition {
  readonly #producers = new Map<number, { epoch: number; open: string[]; markerCount: number }>()
  readonly committed = new Set<string>()
  readonly aborted = new Set<string>()

  get openCount(): number {
    let count = 0
    for (const { open } of this.#producers.values()) if (open.length > 0) count++
    return count
  }

  /** What a writer takes before it asks the coordinator; a marker in between makes it void. */
  guard(producerId: number): number {
    return this.#producers.get(producerId)?.markerCount ?? 0
  }

  /** Appends a record of a transaction; an error code. */
  append(producerId: number, epoch: number, record: string, guard: number): number {
    const producer = this.#producer(producerId, epoch)
    if (epoch < producer.epoch) return ErrorCode.INVALID_PRODUCER_EPOCH
    const mayBegin = producer.markerCount === guard
    if (producer.open.length === 0 && !mayBegin) return ErrorCode.INVALID_TXN_STATE
    producer.epoch = epoch
    producer.open.push(record)
    return ErrorCode.NONE
  }

  mark(marker: TransactionMarker): number {
    const { producerId, producerEpoch: epoch, isCommit, transactionVersion } = marker
    const producer = this.#producer(producerId, epoch)
    const isRepeated = epoch === producer.epoch && producer.open.length === 0
    const isOld =
      transactionVersion < TRANSACTION_V2 ? epoch < producer.epoch : epoch <= producer.epoch
    if (isOld && !isRepeated) return ErrorCode.INVALID_PRODUCER_EPOCH
    const ended = isCommit ? this.committed : this.aborted
    for (const record of producer.open.splice(0)) ended.add(record)
    producer.epoch = epoch
    producer.markerCount++
    return ErrorCode.NONE
  }

  #producer(producerId: number, epoch: number) {
    let producer = this.#producers.get(producerId)
    if (!producer) this.#producers.set(producerId, (producer = { epoch, open: [], markerCount: 0 }))
    return producer
  }
}

/**
 * A transaction coordinator between a log and partitions that a test holds. A crash leaves of the record that is on its way
 * to the log either all or nothing.
 */
export class TxnWorld implements CoordinatorLog, MarkerSender {
  readonly clock = new SimClock()
  readonly partitions = Array.from({ length: 3 }, () => new SimPartition())
  readonly faults: Faults
  /** Everything that came to the log since the world began. */
  readonly stored: Buffer[] = []
  transactionVersion = TRANSACTION_V2
  coordinator!: TxnCoordinator
  readonly #options: TransactionOptions
  /** Counts crashes: what an earlier life has under way has no effect any more. */
  #life = 0
  #nextProducerId = 1000
  #onTheWay: Buffer | null = null
  /** While set, what comes to the log waits for it. */
  #gate: Promise<void> | null = null

  private constructor(faults: Faults, options: TransactionOptions) {
    this.faults = faults
    this.#options = options
  }

  static async open(
    faults: Faults = noFaults(),
    properties: Record<string, string> = {},
  ): Promise<TxnWorld> {
    const world = new TxnWorld(faults, txnOptions(properties))
    await world.#start()
    return world
  }

  /** From now on the log hangs. The returned function makes it go on. */
  hang(): () => void {
    let goOn = () => {}
    this.#gate = new Promise((resolve) => (goOn = resolve))
    return () => {
      this.#gate = null
      goOn()
    }
  }

  /** The coordinator is gone from one moment to the next, and another one starts on the same log. */
  async crash(): Promise<void> {
    this.#life++
    if (this.#onTheWay && this.faults.random.chance(50)) this.#store(this.#onTheWay)
    this.#onTheWay = null
    this.coordinator.stop()
    await this.#start()
  }

  async append(_topic: string, _partition: number, records: Buffer): Promise<void> {
    const life = this.#life
    this.#onTheWay = records
    await this.#gate
    await this.#delay()
    if (life !== this.#life) throw protocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    this.#onTheWay = null
    const isLate = this.faults.random.chance(this.faults.logTimeout)
    if (!isLate || this.faults.random.chance(50)) this.#store(records)
    if (isLate) throw protocolError(ErrorCode.REQUEST_TIMED_OUT)
  }

  appendMarker(): Promise<void> {
    throw new Error('no transactions in the log of transactions')
  }

  async read(_topic: string, _partition: number, fromOffset: number) {
    await Promise.resolve()
    const records = Buffer.concat(
      this.stored.filter((stored) => batch.baseOffset(stored, 0) >= fromOffset).slice(0, 2),
    )
    let nextOffset = fromOffset
    for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
      nextOffset = batch.nextOffset(records, at)
    }
    return { records, nextOffset }
  }

  send(marker: TransactionMarker, partitions: readonly TopicPartition[]): Promise<number[]> {
    const life = this.#life
    return Promise.all(
      partitions.map(async ({ partition }) => {
        await this.#delay()
        const isFailing = this.faults.random.chance(this.faults.markerFailure)
        const isUnwritten = isFailing && this.faults.random.chance(50)
        if (life !== this.#life || isUnwritten) return ErrorCode.NOT_LEADER_OR_FOLLOWER
        const error = this.partitions[partition].mark(marker)
        return isFailing ? ErrorCode.REQUEST_TIMED_OUT : error
      }),
    )
  }

  async #start(): Promise<void> {
    this.coordinator = new TxnCoordinator(
      {
        log: this,
        clock: this.clock,
        logger: silentLogger,
        markers: this,
        producerIds: { next: () => Promise.resolve(this.#nextProducerId++) },
        transactionVersion: () => this.transactionVersion,
      },
      this.#options,
    )
    this.coordinator.start(1)
    await this.coordinator.onPartitionElected(0, 0)
  }

  #store(records: Buffer): void {
    const last = this.stored.at(-1)
    batch.setBaseOffset(records, 0, last ? batch.nextOffset(last, 0) : 0)
    this.stored.push(records)
  }

  async #delay(): Promise<void> {
    const { delayMaxMs, random } = this.faults
    if (delayMaxMs > 0) await this.clock.sleep(random.int(delayMaxMs))
  }
}

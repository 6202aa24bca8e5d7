/**
 * Producers of both generations of the protocol, some of which die or come late, against a coordinator that crashes, whose
 * log and markers fail. What each of them did and was told is compared with what the partitions hold in the end.
 */
import { SimRandom } from '@millrace/testing'
import { ErrorCode } from '@millrace/wire'
import type { ProducerIdentity } from '../src/txn/txn-coordinator'
import { type Faults, TxnWorld } from './support/txn-world'

const SEED_COUNT = 40
const STEP_COUNT = 150
const TRANSACTIONAL_IDS = ['x', 'y']
const TXN_TIMEOUT_MS = 500
const MAX_TRIES = 40

/** What a producer did in one transaction, and what it was told. */
interface Attempt {
  readonly record: string
  /** Where its records were appended. */
  readonly partitions: Set<number>
  wanted: 'commit' | 'abort' | null
  /** The end was acknowledged. */
  isTold: boolean
}

/** Errors after which the same request is sent again. */
const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.CONCURRENT_TRANSACTIONS,
])

class SimProducers {
  readonly attempts: Attempt[] = []
  readonly #world: TxnWorld
  readonly #random: SimRandom
  isStopping = false

  constructor(world: TxnWorld, random: SimRandom) {
    this.#world = world
    this.#random = random
  }

  /** The life of one producer after the other under a transactional id. */
  async run(transactionalId: string, clientVersion: number): Promise<void> {
    while (!this.isStopping) {
      let producer = await this.#begin(transactionalId)
      while (producer && !this.isStopping) {
        producer = await this.#transact({ transactionalId, ...producer }, clientVersion)
      }
      await this.#pause(20)
    }
  }

  async #begin(transactionalId: string): Promise<ProducerIdentity | null> {
    const request = { transactionalId, timeoutMs: TXN_TIMEOUT_MS, claim: null }
    const answer = await this.#ask(() => this.#world.coordinator.initProducerId(request))
    return answer?.errorCode === ErrorCode.NONE ? answer : null
  }

  /** One transaction. Returns who the producer is in the next one, or null if it has to begin anew. */
  async #transact(
    producer: ProducerIdentity & { transactionalId: string },
    clientVersion: number,
  ): Promise<ProducerIdentity | null> {
    const attempt: Attempt = {
      record: `${producer.transactionalId}-${this.attempts.length}`,
      partitions: new Set(),
      wanted: null,
      isTold: false,
    }
    this.attempts.push(attempt)
    const count = 1 + this.#random.int(4)
    for (let i = 0; i < count; i++) {
      const partition = this.#random.int(this.#world.partitions.length)
      if (!(await this.#write(producer, attempt, partition, clientVersion))) return null
    }
    if (this.#random.chance(10)) {
      await this.#pause(3 * TXN_TIMEOUT_MS) // it hangs, then believes that it still is the owner
    }
    if (this.#random.chance(10)) return null // it dies
    return this.#end(producer, attempt, clientVersion)
  }

  async #write(
    producer: ProducerIdentity & { transactionalId: string },
    { record, partitions }: Attempt,
    partition: number,
    clientVersion: number,
  ): Promise<boolean> {
    const { producerId, producerEpoch } = producer
    const place = this.#world.partitions[partition]
    const guard = place.guard(producerId)
    const request = { ...producer, partitions: [{ topic: 't', partition }], clientVersion }
    const added = await this.#ask(async () => ({
      errorCode: await this.#world.coordinator.addPartitions(request),
    }))
    if (added?.errorCode !== ErrorCode.NONE) return false
    if (this.#random.chance(20)) await this.#pause(30) // the record is on its way
    const [verified] = this.#world.coordinator.verifyPartitions(request)
    if (clientVersion < 2 && verified !== ErrorCode.NONE) return false
    if (place.append(producerId, producerEpoch, record, guard) !== ErrorCode.NONE) return false
    partitions.add(partition)
    return true
  }

  async #end(
    producer: ProducerIdentity & { transactionalId: string },
    attempt: Attempt,
    clientVersion: number,
  ): Promise<ProducerIdentity | null> {
    const isCommit = this.#random.chance(70)
    attempt.wanted = isCommit ? 'commit' : 'abort'
    const send = () =>
      this.#world.coordinator.endTransaction({ ...producer, isCommit, clientVersion })
    // In the newer protocol a copy of the request may come at any time, and does nothing (TXN-3).
    if (clientVersion >= 2 && this.#random.chance(40)) void this.#later(send)
    const answer = await this.#ask(send)
    if (answer?.errorCode !== ErrorCode.NONE) return null
    attempt.isTold = true
    return clientVersion >= 2 ? answer : producer
  }

  /** Sends a request until it has an answer that is one; some answers get lost. Null: it gave up. */
  async #ask<Answer extends { errorCode: number }>(
    send: () => Promise<Answer>,
  ): Promise<Answer | null> {
    for (let i = 0; i < MAX_TRIES; i++) {
      const answer = await send()
      const isLost = this.#random.chance(10)
      if (!isLost && !RETRIABLE.has(answer.errorCode)) return answer
      await this.#pause(20)
    }
    return null
  }

  async #later(send: () => Promise<unknown>): Promise<void> {
    await this.#pause(300)
    await send()
  }

  #pause(maxMs: number): Promise<void> {
    return this.#world.clock.sleep(1 + this.#random.int(maxMs))
  }
}

async function simulate(seed: number): Promise<{ world: TxnWorld; attempts: Attempt[] }> {
  const random = new SimRandom(seed)
  const faults: Faults = { random, logTimeout: 5, markerFailure: 20, delayMaxMs: 8 }
  const world = await TxnWorld.open(faults, {
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100',
  })
  world.transactionVersion = 1 + (seed % 2)
  const producers = new SimProducers(world, random)
  const lives = TRANSACTIONAL_IDS.flatMap((id, at) => [
    producers.run(id, at === 0 ? 2 : 0),
    producers.run(id, at === 0 ? 2 : 0),
  ])
  for (let step = 0; step < STEP_COUNT; step++) {
    await world.clock.advance(random.int(40))
    if (random.chance(8)) await world.crash()
  }
  producers.isStopping = true
  Object.assign(faults, { logTimeout: 0, markerFailure: 0 })
  await world.clock.advance(60_000)
  await Promise.all(lives)
  await world.crash()
  await world.clock.advance(60_000)
  world.coordinator.stop()
  return { world, attempts: producers.attempts }
}

/** What is wrong with an attempt, given where its record is seen as committed; null if nothing is. */
function violation(attempt: Attempt, world: TxnWorld): string | null {
  const { record, partitions, wanted, isTold } = attempt
  const seen = [...partitions].filter((at) => world.partitions[at].committed.has(record))
  if (seen.length > 0 && seen.length < partitions.size) return 'is committed in parts'
  if (seen.length > 0 && wanted !== 'commit') return 'is committed, which nobody wanted'
  const isLost = partitions.size > 0 && seen.length === 0
  if (isTold && wanted === 'commit' && isLost) return 'was acknowledged and is not committed'
  return null
}

describe('transactions in a world of failures', () => {
  it.each(Array.from({ length: SEED_COUNT }, (_, seed) => seed))(
    'TXN-1, TXN-2, TXN-3, TXN-4: are whole and come to an end, seed %i',
    async (seed) => {
      const { world, attempts } = await simulate(seed)
      const violations = attempts.flatMap((attempt) => {
        const what = violation(attempt, world)
        return what ? [`${attempt.record} ${what}`] : []
      })
      expect(violations).toEqual([])
      expect(world.partitions.map(({ openCount }) => openCount)).toEqual([0, 0, 0])
      // Else it would prove nothing.
      expect(attempts.filter(({ isTold }) => isTold).length).toBeGreaterThan(5)
    },
  )
})

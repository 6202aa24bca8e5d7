import type { Clock, Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode, ListOffsetsRequest, ListOffsetsResponse } from '@millrace/wire'
import type { Cluster } from '../cluster'
import { clientErrors } from '../errors'
import type { GroupOffsets } from '../group/group-offsets'
import { isRetriableError } from '../retry'
import { holdBack } from './hold-back'
import { partitionKey, type PartitionSet, type PartitionState } from './partition-state'
import type { ConsumerSettings } from './settings'
import { refusal } from '../refusal'

/** Later versions know more special points, which are of no use here. */
const LIST_OFFSETS_MAX_VERSION = 6
const LATEST = -1
const EARLIEST = -2
const READ_COMMITTED = 1

export interface PositionsDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly cluster: Cluster
  readonly partitions: PartitionSet
  /** Null for a consumer without a group. */
  readonly offsets: GroupOffsets | null
}

export interface PositionsOptions
  extends Pick<ConsumerSettings, 'autoOffsetReset' | 'isReadCommitted'> {
  /** Partitions may have got a position, or are to be looked up again. */
  readonly onProgress: () => void
}

/** Where a partition stood when its look-up began; if that has changed, the answer counts no more. */
interface Pending {
  readonly state: PartitionState
  readonly epoch: number
}

/** Gives partitions their first position: the committed offset, else what the reset policy says. */
export class Positions {
  readonly #deps: PositionsDeps
  readonly #options: PositionsOptions
  #isLookingUp = false

  constructor(deps: PositionsDeps, options: PositionsOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Looks up what is due, in the background. Never rejects: a failure that will not pass is kept in the partition. */
  async lookUp(): Promise<void> {
    if (this.#isLookingUp) return
    const due = [...this.#deps.partitions].filter(({ isPositionWanted }) => isPositionWanted)
    if (due.length === 0) return
    this.#isLookingUp = true
    const pending = due.map((state) => ({ state, epoch: state.epoch }))
    await this.#attempt(pending, () => this.#fromCommitted(pending))
    const rest = this.#current(pending).filter(
      ({ state }) => state.isPositionWanted && state.source === 'reset',
    )
    await this.#reset(rest)
    this.#isLookingUp = false
    this.#options.onProgress()
  }

  async #fromCommitted(pending: readonly Pending[]): Promise<void> {
    const { offsets } = this.#deps
    const asked = pending.filter(({ state }) => state.source === 'committed')
    if (asked.length === 0) return
    const found = offsets === null ? [] : await offsets.fetch(asked.map(({ state }) => state))
    const byKey = new Map(found.map((one) => [partitionKey(one), one.offset]))
    for (const { state } of this.#current(asked)) {
      const offset = byKey.get(state.key)
      if (offset === undefined) state.onNotCommitted()
      else state.onPosition(offset)
    }
  }

  async #reset(pending: readonly Pending[]): Promise<void> {
    const { cluster } = this.#deps
    if (this.#options.autoOffsetReset === 'none') {
      for (const { state } of pending) {
        const { topic, partition } = state
        state.onFailure(clientErrors.create('CLIENT_NO_OFFSET', { topic, partition }))
      }
      return
    }
    const byLeader = new Map<number, Pending[]>()
    await Promise.all(
      pending.map((one) =>
        this.#attempt([one], async () => {
          const leader = await cluster.leaderOf(one.state.topic, one.state.partition)
          byLeader.set(leader, [...(byLeader.get(leader) ?? []), one])
        }),
      ),
    )
    await Promise.all(
      [...byLeader].map(([leader, group]) =>
        this.#attempt(group, () => this.#listOffsets(leader, group)),
      ),
    )
  }

  async #listOffsets(leader: number, pending: readonly Pending[]): Promise<void> {
    const { cluster } = this.#deps
    const { autoOffsetReset, isReadCommitted } = this.#options
    const timestamp = autoOffsetReset === 'earliest' ? EARLIEST : LATEST
    const topics = [...Map.groupBy(pending, ({ state }) => state.topic)].map(([name, group]) => ({
      name,
      partitions: group.map(({ state }) => ({ partitionIndex: state.partition, timestamp })),
    }))
    const connection = await cluster.connection(leader, 'main')
    const request = { replicaId: -1, isolationLevel: isReadCommitted ? READ_COMMITTED : 0, topics }
    const reply = await connection.send(ListOffsetsRequest, ListOffsetsResponse, request, {
      maxVersion: LIST_OFFSETS_MAX_VERSION,
    })
    const byKey = new Map(pending.map((one) => [one.state.key, one]))
    for (const { name: topic, partitions } of reply.topics) {
      for (const { partitionIndex: partition, errorCode, offset } of partitions) {
        const one = byKey.get(partitionKey({ topic, partition }))
        if (one === undefined) continue
        await this.#attempt([one], () => {
          if (errorCode !== ErrorCode.NONE) throw refusal(errorCode, `${topic}-${partition}`)
          for (const { state } of this.#current([one])) state.onPosition(offset)
        })
      }
    }
  }

  /** Runs a step for some partitions; if it fails they are tried again later, or hold the failure for `poll`. */
  async #attempt(pending: readonly Pending[], step: () => void | Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      const failed = this.#current(pending).map(({ state }) => ({ state, error }))
      if (failed.length === 0) return
      if (isRetriableError(error)) {
        this.#deps.cluster.invalidate(failed.map(({ state }) => state.topic))
      }
      holdBack(this.#deps, failed, this.#options.onProgress)
    }
  }

  #current(pending: readonly Pending[]): Pending[] {
    return pending.filter(({ state, epoch }) => this.#deps.partitions.isCurrent(state, epoch))
  }
}

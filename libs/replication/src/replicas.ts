import { errorMessage } from '@millrace/base'
import type { LogConfig, LogManager } from '@millrace/log'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode } from '@millrace/wire'
import { replicationErrors } from './errors'
import { Partition, type PartitionAssignment } from './partition'

/** What this library needs to know of a topic; the controller's image has it. */
export interface ReplicatedTopic {
  readonly id: string
  readonly name: string
  readonly partitions: readonly (PartitionAssignment & { readonly index: number })[]
  readonly configs: Readonly<Record<string, string>>
}
export interface ReplicatedTopics {
  readonly topics: ReadonlyMap<string, ReplicatedTopic>
}

/** Hears which partitions this node begins and ceases to lead; that it ceased may be said twice. */
export interface LeadershipListener {
  onElected(topic: string, partition: number): void
  onResigned(topic: string, partition: number): void
}

export interface ReplicasDeps {
  readonly logManager: LogManager
  readonly logger: Logger
  readonly leadership: LeadershipListener
  /** The broker's defaults with the topic's own configs on top. */
  readonly logConfigOf: (topic: ReplicatedTopic) => LogConfig
}

/** Which partitions this node has a replica of: made, changed and given up as the metadata says. */
export class Replicas {
  readonly #logManager: LogManager
  readonly #logger: Logger
  readonly #nodeId: number
  readonly #logConfigOf: (topic: ReplicatedTopic) => LogConfig
  readonly #leadership: LeadershipListener
  /** At the position of its index; empty where another node has the replica. */
  readonly #partitions = new Map<string, (Partition | undefined)[]>()
  /** By topic the partitions whose log could not be opened: they may be in a directory that is offline, and are not made anew. */
  readonly #offline = new Map<string, Set<number>>()
  /** The last change of each topic that is not in force (yet): those of one topic are carried out one after the other. */
  readonly #applying = new Map<string, Promise<void>>()

  constructor(deps: ReplicasDeps, options: { nodeId: number }) {
    this.#logManager = deps.logManager
    this.#logger = deps.logger
    this.#leadership = deps.leadership
    this.#logConfigOf = deps.logConfigOf
    this.#nodeId = options.nodeId
  }

  /** Every replica that this node has and that is not offline. */
  *all(): Iterable<Partition> {
    for (const partitions of this.#partitions.values())
      for (const partition of partitions) if (partition?.isOffline === false) yield partition
  }

  /** Also one that is offline. */
  find(topic: string, index: number): Partition | undefined {
    return this.#partitions.get(topic)?.[index]
  }

  /** It should be here, and its directory has failed. */
  isOffline(topic: string, index: number): boolean {
    return (
      this.find(topic, index)?.isOffline === true || this.#offline.get(topic)?.has(index) === true
    )
  }

  /**
   * Makes this node's logs what the image says, for the changed topics: creates, deletes, reassigns, reconfigures. Topics
   * do not wait for each other. `isStart` says that logs which should be there may be in a directory that has failed: those
   * partitions are offline then, and the others are served.
   * @throws REPLICATION_LOG_NOT_OPENED after all partitions of all topics were tried, but not at the start
   */
  async applyMetadata(
    image: ReplicatedTopics,
    changedTopics: Iterable<string>,
    { isStart = false } = {},
  ): Promise<void> {
    const changes = Array.from(changedTopics, (name) => this.#applyNext(name, image, isStart))
    for (const outcome of await Promise.allSettled(changes)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  /**
   * Deletes logs whose topic the cluster does not have: a crash came between the deletion of the topic and that of its log.
   * For the start, before the first `applyMetadata`. Another cluster's directories never get here: the log manager refuses them.
   */
  async deleteStrays(image: ReplicatedTopics): Promise<void> {
    for (const { topic, partition, topicId } of this.#logManager.logs()) {
      if (image.topics.get(topic)?.id === topicId) continue
      this.#logger.warn('log of a deleted topic is removed', { topic, partition, topicId })
      await this.#logManager.deleteLog(topic, partition)
    }
  }

  /** Resolves when every change of the topic that was handed to `applyMetadata` before is in force, or rejects as that did. */
  async whenApplied(topic: string): Promise<void> {
    await this.#applying.get(topic)
  }

  /** Resolves when every change is in force or has failed. */
  async whenAllApplied(): Promise<void> {
    await Promise.allSettled(this.#applying.values())
  }

  #applyNext(name: string, image: ReplicatedTopics, isStart: boolean): Promise<void> {
    const before = this.#applying.get(name) ?? Promise.resolve()
    const applied = before
      .catch(() => undefined) // told to those who waited for it
      .then(() => this.#applyTopic(name, image.topics.get(name), isStart))
      .then(
        () => {
          if (this.#applying.get(name) === applied) this.#applying.delete(name)
        },
        (error: unknown) => {
          this.#logger.error('topic not applied', { topic: name, error })
          throw error
        },
      )
    this.#applying.set(name, applied)
    return applied
  }

  async #applyTopic(
    name: string,
    topic: ReplicatedTopic | undefined,
    isStart: boolean,
  ): Promise<void> {
    await this.#removeStale(name, topic)
    if (!topic) {
      this.#offline.delete(name)
      return
    }
    const config = this.#logConfigOf(topic)
    const failures: unknown[] = []
    for (const assignment of topic.partitions) {
      if (!assignment.replicas.includes(this.#nodeId)) continue
      const existing = this.find(name, assignment.index)
      if (existing) {
        existing.log.updateConfig(config)
        this.#reassign(existing, assignment)
      } else {
        const isNew = !isStart && !this.#offline.get(name)?.has(assignment.index)
        await this.#open(topic, { assignment, config, isNew }).catch((error: unknown) => {
          failures.push(error)
          this.#noteOffline(name, assignment.index)
        })
      }
    }
    if (failures.length === 0) return
    if (!isStart) throw failures[0]
    this.#logger.error('partitions are offline', {
      topic: name,
      partitions: [...this.#offline.get(name)!].join(),
      error: failures[0],
    })
  }

  #noteOffline(topic: string, index: number): void {
    const partitions = this.#offline.get(topic) ?? new Set()
    partitions.add(index)
    this.#offline.set(topic, partitions)
  }

  #reassign(partition: Partition, assignment: PartitionAssignment): void {
    const wasLeader = partition.isLeader
    partition.assign(assignment)
    if (partition.isOffline) return
    if (partition.isLeader && !wasLeader)
      this.#leadership.onElected(partition.topic, partition.index)
    if (!partition.isLeader && wasLeader)
      this.#leadership.onResigned(partition.topic, partition.index)
  }

  async #open(
    topic: ReplicatedTopic,
    replica: {
      readonly assignment: PartitionAssignment & { readonly index: number }
      readonly config: LogConfig
      /** There is no log of it anywhere yet, so it may be made in any directory. */
      readonly isNew: boolean
    },
  ): Promise<void> {
    const { name, id } = topic
    const { assignment, config, isNew } = replica
    const existing = this.#logManager.log(name, assignment.index)
    existing?.updateConfig(config) // metadata may have moved on since it was opened
    const log =
      existing ??
      (await this.#logManager
        .createLog({ topic: name, partition: assignment.index, topicId: id, config, isNew })
        .catch((cause: unknown) => {
          throw replicationErrors.create(
            'REPLICATION_LOG_NOT_OPENED',
            { topic: name, partition: assignment.index, reason: errorMessage(cause) },
            { cause },
          )
        }))
    const partition = new Partition(
      { log, onOffline: (failed) => this.#onOffline(failed) },
      { nodeId: this.#nodeId, assignment },
    )
    const partitions = this.#partitions.get(name) ?? []
    partitions[assignment.index] = partition
    this.#partitions.set(name, partitions)
    this.#offline.get(name)?.delete(assignment.index)
    if (partition.isLeader && !partition.isOffline)
      this.#leadership.onElected(name, assignment.index)
  }

  /** What its leader knew cannot be trusted to be what the disk has: a coordinator forgets it. */
  #onOffline(partition: Partition): void {
    if (partition.isLeader) this.#leadership.onResigned(partition.topic, partition.index)
  }

  /** Gives up the replicas of a topic that is gone, was made anew under another id, or no longer lives here. */
  async #removeStale(name: string, topic: ReplicatedTopic | undefined): Promise<void> {
    const partitions = this.#partitions.get(name)
    if (!partitions) return
    for (const partition of partitions) {
      if (!partition) continue
      const assignment = topic?.partitions.find(({ index }) => index === partition.index)
      const stays =
        topic?.id === partition.log.topicId && assignment?.replicas.includes(this.#nodeId)
      if (stays) continue
      partitions[partition.index] = undefined
      if (partition.isLeader) this.#leadership.onResigned(name, partition.index)
      partition.retire(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      await this.#logManager.deleteLog(name, partition.index)
    }
    if (!topic) this.#partitions.delete(name)
  }
}

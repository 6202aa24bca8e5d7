import type { MetadataImage } from '@millrace/controller'
import {
  type GroupCoordinator,
  type MarkerSender,
  OFFSETS_TOPIC,
  type TopicPartition,
  type TransactionMarker,
} from '@millrace/coordinator'
import type { ReplicaManager } from '@millrace/replication'
import { ErrorCode } from '@millrace/wire'

/** Writes markers into the partitions that this broker leads. */
export class LocalMarkers implements MarkerSender {
  readonly #replicas: ReplicaManager
  readonly #groups: GroupCoordinator
  readonly #metadata: () => MetadataImage
  readonly #timeoutMs: number

  constructor(
    deps: { replicas: ReplicaManager; groups: GroupCoordinator; metadata: () => MetadataImage },
    options: { timeoutMs: number },
  ) {
    this.#replicas = deps.replicas
    this.#groups = deps.groups
    this.#metadata = deps.metadata
    this.#timeoutMs = options.timeoutMs
  }

  /** As `write`, for the coordinator: a partition that was deleted needs no marker. */
  send(marker: TransactionMarker, partitions: readonly TopicPartition[]): Promise<number[]> {
    return Promise.all(
      partitions.map(async (at) =>
        this.#exists(at) ? this.#writeOne(marker, at) : ErrorCode.NONE,
      ),
    )
  }

  /** Resolves with an error code for each partition when its marker is safe, as in ACK-1. Never rejects. */
  write(marker: TransactionMarker, partitions: readonly TopicPartition[]): Promise<number[]> {
    return Promise.all(partitions.map((at) => this.#writeOne(marker, at)))
  }

  async #writeOne(marker: TransactionMarker, at: TopicPartition): Promise<number> {
    // The group coordinator writes to its topic itself: its memory follows the log.
    if (at.topic === OFFSETS_TOPIC) return this.#groups.endTransaction(at.partition, marker)
    const [{ errorCode }] = await this.#replicas.append({
      acks: -1,
      timeoutMs: this.#timeoutMs,
      origin: 'coordinator',
      entries: [{ ...at, marker }],
    })
    return errorCode
  }

  #exists({ topic, partition }: TopicPartition): boolean {
    return this.#metadata().topics.get(topic)?.partitions[partition] !== undefined
  }
}

import type { Controller, NewTopic, TopicImage } from '@millrace/controller'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '@millrace/coordinator'
import type { ReplicaManager } from '@millrace/replication'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode } from '@millrace/wire'
import type { BrokerConfig } from './config'
import { wireFailureOf } from './wire-failure'

/** Creates the topics that nobody created by hand: those of auto creation, and the internal ones. */
export class TopicCreation {
  readonly #controller: Controller
  readonly #replicas: ReplicaManager
  readonly #logger: Logger
  readonly #config: BrokerConfig
  /** Creations under way: requests for the same topic wait for the same one. */
  readonly #pending = new Map<string, Promise<TopicImage | number>>()

  constructor(
    deps: { controller: Controller; replicas: ReplicaManager; logger: Logger },
    options: { config: BrokerConfig },
  ) {
    this.#controller = deps.controller
    this.#replicas = deps.replicas
    this.#logger = deps.logger
    this.#config = options.config
  }

  /** The topic once its logs are open, or the wire error that kept it from being made. Never rejects. */
  createAutomatically(name: string): Promise<TopicImage | number> {
    const pending = this.#pending.get(name)
    if (pending) return pending
    const creation = this.#create(name).finally(() => this.#pending.delete(name))
    this.#pending.set(name, creation)
    return creation
  }

  async #create(name: string): Promise<TopicImage | number> {
    try {
      await this.#createOrFind(name)
      await this.#replicas.whenApplied(name)
    } catch (error) {
      this.#logger.warn('topic not created', { topic: name, error })
      return wireFailureOf(error).errorCode
    }
    return this.#controller.metadata().topics.get(name) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  async #createOrFind(name: string): Promise<void> {
    try {
      await this.#controller.createTopic({ name, ...this.#shapeOf(name), validateOnly: false })
    } catch (error) {
      // Somebody else was faster: their topic is as good.
      if (wireFailureOf(error).errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) throw error
    }
  }

  #shapeOf(name: string): Omit<NewTopic, 'name'> {
    const { values } = this.#config
    switch (name) {
      case OFFSETS_TOPIC:
        return {
          partitions: values.offsetsTopicPartitions,
          replicationFactor: this.#replicationFactor(name, values.offsetsTopicReplicationFactor),
          configs: {
            'cleanup.policy': 'compact',
            'compression.type': 'producer',
            'segment.bytes': String(values.offsetsTopicSegmentBytes),
          },
        }
      case TRANSACTIONS_TOPIC:
        return {
          partitions: values.transactionsTopicPartitions,
          replicationFactor: this.#replicationFactor(
            name,
            values.transactionsTopicReplicationFactor,
          ),
          configs: {
            'cleanup.policy': 'compact',
            'compression.type': 'uncompressed',
            'min.insync.replicas': String(values.transactionsTopicMinIsr),
            'segment.bytes': String(values.transactionsTopicSegmentBytes),
          },
        }
      default:
        return {
          partitions: values.numPartitions,
          replicationFactor: this.#replicationFactor(name, values.defaultReplicationFactor),
          configs: {},
        }
    }
  }

  /** Kafka's default for the internal topics is three; a cluster of one gets one, and is told. */
  #replicationFactor(topic: string, wanted: number): number {
    const live = this.#controller.metadata().brokers.length
    if (wanted <= live) return wanted
    this.#logger.warn('replication factor capped at the live brokers', { topic, wanted, live })
    return live
  }
}

import { type ConfigDefinition, parseConfig } from '@millrace/config'
import { assignManually, type PartitionAssignment, placeReplicas } from './assignment'
import { controllerErrors } from './errors'
import type { MetadataImage, TopicImage } from './metadata-image'
import type { PartitionRecord, TopicRecord } from './records'
import { collisionKey, validateTopicName } from './topic-name'

/** More partitions in one request than any cluster holds: refused before memory is asked for. */
const PARTITIONS_PER_REQUEST_MAX = 10_000

export interface NewTopic {
  readonly name: string
  /** -1: the default. */
  readonly partitions: number
  /** -1: the default. */
  readonly replicationFactor: number
  /** If there are any, `partitions` and `replicationFactor` must be -1. */
  readonly assignments?: readonly PartitionAssignment[]
  readonly configs: Readonly<Record<string, string | null>>
  /** Checks everything and creates nothing. */
  readonly validateOnly?: boolean
}

export interface TopicDefaults {
  /** Kafka's num.partitions. */
  readonly partitions: number
  /** Kafka's default.replication.factor. */
  readonly replicationFactor: number
  readonly topicConfigs: ConfigDefinition
}

/** Decides what a new topic looks like. @throws PlatformError CONTROLLER_*, as Kafka's controller would refuse it */
export function planTopic(
  topic: NewTopic,
  image: MetadataImage,
  context: { id: string; startIndex: number; defaults: TopicDefaults },
): TopicRecord {
  const { name } = topic
  if (image.topics.has(name)) throw controllerErrors.create('CONTROLLER_TOPIC_EXISTS', { name })
  validateTopicName(name)
  refuseCollision(name, image)
  const partitions = planPartitions(topic, image, context)
  const configs = validateConfigs(name, topic.configs, context.defaults.topicConfigs)
  return { id: context.id, partitions, configs }
}

/** The partitions to add so that the topic has `count`. @throws PlatformError CONTROLLER_INVALID_PARTITIONS, CONTROLLER_INVALID_ASSIGNMENT */
export function planMorePartitions(
  topic: TopicImage,
  count: number,
  assignments: readonly PartitionAssignment[] | null,
  context: { image: MetadataImage; startIndex: number },
): PartitionRecord[] {
  const { name } = topic
  const existing = topic.partitions.length
  if (count <= existing) {
    const reason = `the topic has ${existing} already`
    throw controllerErrors.create('CONTROLLER_INVALID_PARTITIONS', { name, given: count, reason })
  }
  refuseTooMany(name, count - existing)
  const replicationFactor = topic.partitions[0].replicas.length
  const { brokers } = context.image
  if (assignments === null) {
    return placeReplicas(
      {
        topic: name,
        firstPartitionIndex: existing,
        partitionCount: count - existing,
        replicationFactor,
        startIndex: context.startIndex,
      },
      brokers,
    )
  }
  if (assignments.length !== count - existing) {
    const reason = `${count - existing} partitions are to be added, ${assignments.length} assigned`
    throw controllerErrors.create('CONTROLLER_INVALID_ASSIGNMENT', { name, reason })
  }
  return assignManually(name, assignments, {
    brokers,
    firstPartitionIndex: existing,
    replicationFactor,
  })
}

function refuseCollision(name: string, image: MetadataImage): void {
  if (!/[._]/.test(name)) return // only those two characters can collide
  const wanted = collisionKey(name)
  for (const existing of image.topics.keys()) {
    if (collisionKey(existing) === wanted) {
      throw controllerErrors.create('CONTROLLER_TOPIC_NAME_COLLIDES', { name, existing })
    }
  }
}

function planPartitions(
  topic: NewTopic,
  image: MetadataImage,
  { startIndex, defaults }: { startIndex: number; defaults: TopicDefaults },
): readonly PartitionRecord[] {
  const { name, partitions, replicationFactor, assignments = [] } = topic
  if (assignments.length > 0) {
    if (partitions !== -1 || replicationFactor !== -1) {
      const reason = 'with a manual assignment, partitions and replication factor must be -1'
      throw controllerErrors.create('CONTROLLER_INVALID_REQUEST', { name, reason })
    }
    refuseTooMany(name, assignments.length)
    const { brokers } = image
    const options = { brokers, firstPartitionIndex: 0, replicationFactor: null }
    return assignManually(name, assignments, options)
  }
  const reason = 'it must be larger than 0, or -1 for the default'
  if (replicationFactor < -1 || replicationFactor === 0) {
    throw controllerErrors.create('CONTROLLER_INVALID_REPLICATION_FACTOR', {
      name,
      given: replicationFactor,
      reason,
    })
  }
  if (partitions < -1 || partitions === 0) {
    throw controllerErrors.create('CONTROLLER_INVALID_PARTITIONS', {
      name,
      given: partitions,
      reason,
    })
  }
  const partitionCount = partitions === -1 ? defaults.partitions : partitions
  refuseTooMany(name, partitionCount)
  return placeReplicas(
    {
      topic: name,
      firstPartitionIndex: 0,
      partitionCount,
      replicationFactor: replicationFactor === -1 ? defaults.replicationFactor : replicationFactor,
      startIndex,
    },
    image.brokers,
  )
}

function refuseTooMany(name: string, added: number): void {
  if (added <= PARTITIONS_PER_REQUEST_MAX) return
  const reason = `one request may add ${PARTITIONS_PER_REQUEST_MAX} at most`
  throw controllerErrors.create('CONTROLLER_INVALID_PARTITIONS', { name, given: added, reason })
}

/** @throws PlatformError CONTROLLER_INVALID_CONFIG with every problem */
export function validateConfigs(
  name: string,
  configs: Readonly<Record<string, string | null>>,
  definition: ConfigDefinition,
): Record<string, string> {
  const nulls = Object.keys(configs).filter((key) => configs[key] === null)
  const { problems, unknown } = parseConfig(definition, configs)
  const wrong = [
    ...unknown.map((key) => `unknown topic config ${key}`),
    ...nulls.map((key) => `${key} must have a value`),
    ...problems.map(({ key, given, expected }) => `${key}=${given} (expected ${expected})`),
  ]
  if (wrong.length > 0) {
    throw controllerErrors.create('CONTROLLER_INVALID_CONFIG', { name, problems: wrong.join('; ') })
  }
  return configs as Record<string, string>
}

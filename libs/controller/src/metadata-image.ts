import type { KeyValue, WatchEvent } from '@millrace/coordination'
import { ClusterRecords, type RecordKind, type RecordsOf } from './cluster-records'
import { controllerErrors } from './errors'
import { keys, type BrokerRecord, type TopicRecord } from './records'
import { isInternalTopic } from './topic-name'

/** Everything the cluster knows about itself at one revision. Immutable: a change makes a new image. */
export interface MetadataImage {
  /** Revision of the store that this image stands for. */
  readonly revision: number
  readonly clusterId: string
  /** The broker that answers as the controller. */
  readonly controllerId: number
  /** In order of their ids. */
  readonly brokers: readonly BrokerImage[]
  readonly topics: ReadonlyMap<string, TopicImage>
  topicById(id: string): TopicImage | undefined
  /** Configs, features and the other kinds of `recordKinds`, by key. The same map as long as none of them changed. */
  records<T>(kind: RecordKind<T>): RecordsOf<T>
}

export interface BrokerImage {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface TopicImage {
  readonly id: string
  readonly name: string
  readonly isInternal: boolean
  /** At position `index`. */
  readonly partitions: readonly PartitionImage[]
  /** Only what differs from the defaults, as text. */
  readonly configs: Readonly<Record<string, string>>
}

export interface PartitionImage {
  readonly index: number
  /** Broker id. */
  readonly leader: number
  /** Grows whenever leadership is taken anew, also by the same broker. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface ImageState {
  readonly revision: number
  readonly clusterId: string
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly topics: Map<string, TopicImage>
  readonly topicsById: Map<string, TopicImage>
  readonly records: ClusterRecords
}

export const EMPTY_STATE: ImageState = {
  revision: 0,
  clusterId: '',
  brokers: new Map(),
  topics: new Map(),
  topicsById: new Map(),
  records: ClusterRecords.empty,
}

/** Folds one revision's events into a state. @throws PlatformError CONTROLLER_BAD_METADATA */
export function applyEvents(
  state: ImageState,
  events: readonly WatchEvent[],
  revision: number,
): { state: ImageState; changedTopics: string[] } {
  let { clusterId, brokers, topics, topicsById } = state
  const changedTopics: string[] = []
  for (const event of events) {
    const key = event.type === 'put' ? event.item.key : event.key
    if (key === keys.clusterId && event.type === 'put') clusterId = readRecord(event.item)
    const brokerId = keys.brokerIdOf(key)
    if (brokerId !== null) brokers = withBroker(brokers, brokerId, event)
    const name = keys.topicNameOf(key)
    if (name === null) continue
    if (changedTopics.length === 0) {
      topics = new Map(topics) // copied once per revision, and only if a topic changed
      topicsById = new Map(topicsById)
    }
    changedTopics.push(name)
    replaceTopic({ topics, topicsById }, name, event)
  }
  const records = state.records.apply(events)
  return { state: { revision, clusterId, brokers, topics, topicsById, records }, changedTopics }
}

function withBroker(
  before: ReadonlyMap<number, BrokerImage>,
  id: number,
  event: WatchEvent,
): Map<number, BrokerImage> {
  const brokers = new Map(before)
  if (event.type === 'delete') brokers.delete(id)
  else brokers.set(id, { id, ...readRecord<BrokerRecord>(event.item) })
  return brokers
}

function replaceTopic(
  { topics, topicsById }: { topics: Map<string, TopicImage>; topicsById: Map<string, TopicImage> },
  name: string,
  event: WatchEvent,
): void {
  const before = topics.get(name)
  if (before) topicsById.delete(before.id)
  topics.delete(name)
  if (event.type === 'delete') return
  const topic = topicImage(name, readRecord<TopicRecord>(event.item))
  topics.set(name, topic)
  topicsById.set(topic.id, topic)
}

export function topicImage(name: string, record: TopicRecord): TopicImage {
  const partitions = record.partitions.map((partition, index) => ({ index, ...partition }))
  return {
    id: record.id,
    name,
    isInternal: isInternalTopic(name),
    partitions,
    configs: record.configs,
  }
}

export function imageOf(state: ImageState, controllerId: number): MetadataImage {
  return {
    revision: state.revision,
    clusterId: state.clusterId,
    controllerId,
    brokers: [...state.brokers.values()].sort((a, b) => a.id - b.id),
    topics: state.topics,
    topicById: (id) => state.topicsById.get(id),
    records: (kind) => state.records.of(kind),
  }
}

/** The JSON of a key. Its bytes were checksummed by the store, so only another version can have written nonsense. */
export function readRecord<T>(item: KeyValue): T {
  try {
    return JSON.parse(item.value) as T
  } catch (cause) {
    const { key } = item
    const reason = 'not JSON'
    throw controllerErrors.create('CONTROLLER_BAD_METADATA', { key, reason }, { cause })
  }
}

import type { TopicImage } from './metadata-image'
import type { TopicRecord } from './records'

export function leads(brokerId: number, topic: TopicImage): boolean {
  return topic.partitions.some((partition) => partition.leader === brokerId)
}

/** The broker takes leadership anew of the partitions that it leads (META-6). */
export function electLeader(topic: TopicRecord, brokerId: number): TopicRecord {
  const partitions = topic.partitions.map((partition) =>
    partition.leader === brokerId
      ? { ...partition, leaderEpoch: partition.leaderEpoch + 1 }
      : partition,
  )
  return { ...topic, partitions }
}

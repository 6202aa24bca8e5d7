import type { MetadataImage, TopicImage } from '@millrace/controller'
import { ErrorCode } from '@millrace/wire'

/** A topic as a request names it: by name in older versions, by id in newer ones. */
export interface TopicReference {
  readonly name: string
  readonly topicId: string
  readonly isById: boolean
}

export function findTopic(image: MetadataImage, topic: TopicReference): TopicImage | undefined {
  return topic.isById ? image.topicById(topic.topicId) : image.topics.get(topic.name)
}

/** The wire error of a topic that `findTopic` did not find, or of a partition that it does not have; else NONE. */
export function partitionError(
  found: TopicImage | undefined,
  topic: TopicReference,
  partition: number,
): number {
  if (!found)
    return topic.isById ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return found.partitions[partition] === undefined
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.NONE
}

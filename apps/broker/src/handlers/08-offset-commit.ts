/**
 * OffsetCommit, key 8 - served: 2 to 10.
 * Does: stores the position of a group; answers when it is safe in __consumer_offsets.
 * Versions: 5 no retention time; 6 leader epoch; 7 static members; 8 flexible; 10 topic id.
 * Gaps: none known.   Invariants: ACK-3.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { findTopic, partitionError } from './find-partition'
import { clientOf, handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { topicRefusal } from './topic-rights'

type Request = RequestOf<typeof ApiKey.OffsetCommit>
type Topic = Request['topics'][number]
type TopicAnswer = ResponseOf<typeof ApiKey.OffsetCommit>['topics'][number]

const FIRST_VERSION_BY_ID = 10

export const offsetCommit = handler(
  ApiKey.OffsetCommit,
  { min: 2, max: 10, order: 'change' },
  async (request, ctx) => {
    if (!ctx.allows(AclOperation.READ, ResourceType.GROUP, request.groupId))
      return { throttleTimeMs: 0, topics: request.topics.map(withoutGroupRight) }
    const known: Topic[] = []
    const refused: TopicAnswer[] = []
    for (const topic of request.topics) sortOut(topic, ctx, known, refused)
    const response =
      known.length === 0
        ? { topics: [] }
        : await ctx.broker.groups.offsetCommit({ ...request, topics: known }, clientOf(ctx))
    return { throttleTimeMs: 0, topics: joinAnswers(response.topics, refused, known) }
  },
)

/** Splits a topic into the partitions that exist, under the topic's name, and answers for those that do not. */
function sortOut(topic: Topic, ctx: RequestContext, known: Topic[], refused: TopicAnswer[]): void {
  const { name, topicId } = topic
  const reference = { name, topicId, isById: ctx.apiVersion >= FIRST_VERSION_BY_ID }
  const found = findTopic(ctx.broker.metadata(), reference)
  const noRight = topicRefusal(ctx, AclOperation.READ, found, reference)
  const errorOf = (index: number) => noRight || partitionError(found, reference, index)
  const good = topic.partitions.filter((p) => errorOf(p.partitionIndex) === ErrorCode.NONE)
  const bad = topic.partitions.filter((p) => errorOf(p.partitionIndex) !== ErrorCode.NONE)
  if (found && good.length > 0)
    known.push({ name: found.name, topicId: found.id, partitions: good })
  if (bad.length > 0)
    refused.push({
      name,
      topicId,
      partitions: bad.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOf(partitionIndex),
      })),
    })
}

function withoutGroupRight({ name, topicId, partitions }: Topic): TopicAnswer {
  return {
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
    })),
  }
}

/** One entry per topic: some clients take the last entry of a topic for the whole of it. */
function joinAnswers(
  answered: readonly TopicAnswer[],
  refused: readonly TopicAnswer[],
  known: readonly Topic[],
): TopicAnswer[] {
  const idOf = new Map(known.map(({ name, topicId }) => [name, topicId]))
  const topics = answered.map((topic) => {
    const partitions = [...topic.partitions]
    return { ...topic, topicId: idOf.get(topic.name ?? '') ?? topic.topicId, partitions }
  })
  const byName = new Map(topics.map((topic) => [topic.name, topic]))
  const byId = new Map(topics.map((topic) => [topic.topicId, topic]))
  for (const topic of refused) {
    const found = topic.name ? byName.get(topic.name) : byId.get(topic.topicId)
    if (found) {
      for (const partition of topic.partitions) found.partitions.push(partition)
      continue
    }
    const added = { ...topic, topicId: topic.topicId, partitions: [...topic.partitions] }
    topics.push(added)
    byName.set(added.name, added)
    byId.set(added.topicId, added)
  }
  return topics
}

/**
 * OffsetFetch, key 9 - served: 1 to 10.
 * Does: tells the committed positions of one group, from version 8 on of several; null topics means all of the group's.
 * Versions: 2 null topics; 6 flexible; 7 requireStable; 8 several groups; 9 member and epoch; 10 topic id.
 * Gaps: none known.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { clientOf, handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Request = RequestOf<typeof ApiKey.OffsetFetch>
type Group = Request['groups'][number]
type GroupAnswer = NonNullable<ResponseOf<typeof ApiKey.OffsetFetch>['groups']>[number]
type TopicAnswer = NonNullable<GroupAnswer['topics']>[number]

const FIRST_VERSION_BY_ID = 10

export const offsetFetch = handler(ApiKey.OffsetFetch, { min: 1, max: 10 }, (request, ctx) =>
  ctx.apiVersion < FIRST_VERSION_BY_ID
    ? ctx.broker.groups.offsetFetch(request, clientOf(ctx))
    : fetchById(request, ctx),
)

/** The coordinator knows topics by name only: ids are translated on the way in and out. */
function fetchById(request: Request, ctx: RequestContext) {
  const unknown: TopicAnswer[][] = []
  const groups = request.groups.map((group) => {
    const { named, missing } = toNames(group, ctx)
    unknown.push(missing)
    return named
  })
  const response = ctx.broker.groups.offsetFetch({ ...request, groups }, clientOf(ctx))
  const image = ctx.broker.metadata()
  return {
    ...response,
    groups: (response.groups ?? []).map((group, at) => ({
      ...group,
      topics: [
        ...(group.topics ?? []).flatMap((topic) => {
          const topicId = image.topics.get(topic.name ?? '')?.id
          return topicId ? [{ ...topic, topicId }] : [] // deleted meanwhile: it has no id to answer with
        }),
        ...unknown[at],
      ],
    })),
  }
}

function toNames(group: Group, ctx: RequestContext): { named: Group; missing: TopicAnswer[] } {
  if (group.topics === null) return { named: group, missing: [] }
  const image = ctx.broker.metadata()
  const missing: TopicAnswer[] = []
  const topics = group.topics.flatMap((topic) => {
    const found = image.topicById(topic.topicId)
    if (found) return [{ ...topic, name: found.name }]
    missing.push({
      topicId: topic.topicId,
      partitions: topic.partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: -1,
        metadata: '',
        errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
      })),
    })
    return []
  })
  return { named: { ...group, topics }, missing }
}

/**
 * OffsetFetch, key 9 - served: 1 to 10.
 * Does: tells the committed positions of one group, from version 8 on of several; null topics means all of the group's.
 * Versions: 2 null topics; 6 flexible; 7 requireStable; 8 several groups; 9 member and epoch; 10 topic id.
 * Gaps: none known.   Invariants: SEC-2.
 */
import type { TopicImage } from '@millrace/controller'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, ZERO_UUID } from '@millrace/wire'
import { clientOf, handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { topicRefusal } from './topic-rights'

type Request = RequestOf<typeof ApiKey.OffsetFetch>
type Response = ResponseOf<typeof ApiKey.OffsetFetch>
type Group = Request['groups'][number]
type GroupAnswer = NonNullable<Response['groups']>[number]
type TopicQuery = NonNullable<Group['topics']>[number]
type TopicAnswer = NonNullable<GroupAnswer['topics']>[number]

const FIRST_VERSION_WITH_GROUP_ERROR = 2
const FIRST_VERSION_WITH_GROUPS = 8
const FIRST_VERSION_BY_ID = 10

export const offsetFetch = handler(ApiKey.OffsetFetch, { min: 1, max: 10 }, (request, ctx) =>
  ctx.apiVersion < FIRST_VERSION_WITH_GROUPS ? fetchOne(request, ctx) : fetchGroups(request, ctx),
)

function fetchOne(request: Request, ctx: RequestContext): Response {
  if (!mayDescribe(request.groupId, ctx)) {
    const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED
    return ctx.apiVersion >= FIRST_VERSION_WITH_GROUP_ERROR
      ? { throttleTimeMs: 0, errorCode, topics: [] }
      : { throttleTimeMs: 0, topics: (request.topics ?? []).map(refusedBy(errorCode)) }
  }
  const named = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
  const { allowed, refused } = sortOut(named, ctx)
  const answer = ctx.broker.groups.offsetFetch({ ...request, topics: allowed }, clientOf(ctx))
  const topics = (answer.topics ?? []).filter(
    ({ name }) => request.topics || mayRead(name ?? '', ctx),
  )
  return { ...answer, topics: answer.errorCode ? topics : [...topics, ...refused] }
}

function fetchGroups(request: Request, ctx: RequestContext): Response {
  const plans = request.groups.map((group) => {
    const isRefused = !mayDescribe(group.groupId, ctx)
    return { group, isRefused, ...(isRefused ? NOTHING : sortOut(group.topics, ctx)) }
  })
  const groups = plans
    .filter(({ isRefused }) => !isRefused)
    .map(({ group, allowed }) => ({ ...group, topics: allowed }))
  const answer = ctx.broker.groups.offsetFetch({ ...request, groups }, clientOf(ctx))
  const answers = (answer.groups ?? [])[Symbol.iterator]()
  return {
    ...answer,
    groups: plans.map(({ group, isRefused, refused }) => {
      const { groupId } = group
      if (isRefused) return { groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, topics: [] }
      const found: GroupAnswer = answers.next().value ?? { groupId, topics: [] }
      if (found.errorCode) return found
      return { ...found, topics: [...withIds(found, group.topics === null, ctx), ...refused] }
    }),
  }
}

const NOTHING = { allowed: [], refused: [] }

/** Splits off the topics that the client may not see or that do not exist; the coordinator knows topics by name only. */
function sortOut(
  topics: readonly TopicQuery[] | null,
  ctx: RequestContext,
): { allowed: TopicQuery[] | null; refused: TopicAnswer[] } {
  if (topics === null) return { allowed: null, refused: [] }
  const image = ctx.broker.metadata()
  const isById = ctx.apiVersion >= FIRST_VERSION_BY_ID
  const allowed: TopicQuery[] = []
  const refused: TopicAnswer[] = []
  for (const topic of topics) {
    const found: TopicImage | undefined = isById ? image.topicById(topic.topicId) : undefined
    const reference = { name: topic.name, topicId: topic.topicId, isById }
    const unknown = isById && !found ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.NONE
    const error = unknown || topicRefusal(ctx, AclOperation.DESCRIBE, found, reference)
    if (error !== ErrorCode.NONE) refused.push(refusedBy(error)(topic))
    else allowed.push({ ...topic, name: found?.name ?? topic.name })
  }
  return { allowed, refused }
}

function withIds(
  { topics = [] }: GroupAnswer,
  isEverything: boolean,
  ctx: RequestContext,
): TopicAnswer[] {
  // What the client asked for by name was judged before.
  const visible = topics.filter(({ name = '' }) => !isEverything || mayRead(name, ctx))
  if (ctx.apiVersion < FIRST_VERSION_BY_ID) return visible
  const image = ctx.broker.metadata()
  return visible.flatMap((topic) => {
    const topicId = image.topics.get(topic.name ?? '')?.id
    return topicId ? [{ ...topic, topicId }] : [] // deleted meanwhile: it has no id to answer with
  })
}

function mayDescribe(groupId: string, ctx: RequestContext): boolean {
  return ctx.allows(AclOperation.DESCRIBE, ResourceType.GROUP, groupId)
}

function mayRead(topic: string, ctx: RequestContext): boolean {
  return ctx.allows(AclOperation.DESCRIBE, ResourceType.TOPIC, topic)
}

function refusedBy(errorCode: number) {
  return ({
    name,
    topicId,
    partitionIndexes,
  }: Omit<TopicQuery, 'topicId'> & { topicId?: string }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      metadata: '',
      errorCode,
    })),
  })
}

import {
  ErrorCode,
  type Infer,
  type InferInput,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  ZERO_UUID,
} from '@millrace/wire'
import type { GroupOffsets } from './group/offsets'
import type { OffsetCommitValue } from './records/offset-commit'

/** First versions with an error for the whole group, and with several groups. */
const GROUP_ERROR_VERSION = 2
const GROUPS_VERSION = 8

interface TopicQuery {
  readonly name: string
  readonly topicId?: string
  readonly partitionIndexes: readonly number[]
}
interface GroupQuery {
  readonly groupId: string
  /** Null or absent, with epoch -1: from one that is no member. */
  readonly memberId?: string | null
  readonly memberEpoch?: number
  /** Null: all topics. */
  readonly topics: readonly TopicQuery[] | null
}
type FetchedTopic = NonNullable<
  NonNullable<InferInput<typeof OffsetFetchResponse>['groups']>[number]['topics']
>[number]
type FetchedPartition = NonNullable<FetchedTopic['partitions']>[number]

/** Answers one group or several, in the form that the version has. */
export function fetchGroups(
  request: Infer<typeof OffsetFetchRequest>,
  apiVersion: number,
  fetch: (query: GroupQuery) => { error: number; topics: FetchedTopic[] },
): InferInput<typeof OffsetFetchResponse> {
  if (apiVersion >= GROUPS_VERSION) {
    const groups = request.groups.map((query) => {
      const { error, topics } = fetch(query)
      return { groupId: query.groupId, errorCode: error, topics }
    })
    return { groups }
  }
  const { error, topics } = fetch(request)
  if (error === ErrorCode.NONE || apiVersion >= GROUP_ERROR_VERSION) {
    return { errorCode: error, topics: topics.map(withoutId) }
  }
  const failed = (request.topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => ({ ...nothing(index), errorCode: error })),
  }))
  return { topics: failed }
}

/**
 * Every offset of the group. With `requireStable` one that an open transaction may replace is answered with an error that
 * makes the client ask again, so that nobody works on what is being committed.
 */
export function fetchAll(offsets: GroupOffsets, requireStable: boolean): FetchedTopic[] {
  return [...offsets.topics()].map((name) => ({
    name,
    topicId: ZERO_UUID,
    partitions: [...offsets.partitionsOf(name)].map(([index, value]) =>
      requireStable && offsets.isOpen(name, index) ? unstable(index) : found(index, value),
    ),
  }))
}

/** Partitions without an offset are answered with offset -1, also if the group does not exist. `requireStable`: as above. */
export function fetchNamed(
  offsets: GroupOffsets,
  topics: readonly TopicQuery[],
  requireStable: boolean,
): FetchedTopic[] {
  return topics.map(({ name, topicId = ZERO_UUID, partitionIndexes }) => {
    const committed = offsets.partitionsOf(name)
    const partitions = partitionIndexes.map((index) => {
      if (requireStable && offsets.isOpen(name, index)) return unstable(index)
      const value = committed.get(index)
      return value && isOfTopic(value, topicId) ? found(index, value) : nothing(index)
    })
    return { name, topicId, partitions }
  })
}

/** False if the offset was committed for an older topic of the same name, as far as both ids are known. */
function isOfTopic(value: OffsetCommitValue, topicId: string): boolean {
  return value.topicId === ZERO_UUID || topicId === ZERO_UUID || value.topicId === topicId
}

function found(partitionIndex: number, value: OffsetCommitValue): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: value.offset,
    committedLeaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    errorCode: ErrorCode.NONE,
  }
}

function nothing(partitionIndex: number): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode: ErrorCode.NONE,
  }
}

function unstable(partitionIndex: number): FetchedPartition {
  return { ...nothing(partitionIndex), errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT }
}

function withoutId({ name = '', partitions = [] }: FetchedTopic) {
  return { name, partitions }
}

import { ApiKey } from '../api-keys'
import type { MessageSpec } from '../schema'
import { ProduceRequest, ProduceResponse } from './00-produce'
import { FetchRequest, FetchResponse } from './01-fetch'
import { ListOffsetsRequest, ListOffsetsResponse } from './02-list-offsets'
import { MetadataRequest, MetadataResponse } from './03-metadata'
import { OffsetCommitRequest, OffsetCommitResponse } from './08-offset-commit'
import { OffsetFetchRequest, OffsetFetchResponse } from './09-offset-fetch'
import { FindCoordinatorRequest, FindCoordinatorResponse } from './10-find-coordinator'
import { JoinGroupRequest, JoinGroupResponse } from './11-join-group'
import { HeartbeatRequest, HeartbeatResponse } from './12-heartbeat'
import { LeaveGroupRequest, LeaveGroupResponse } from './13-leave-group'
import { SyncGroupRequest, SyncGroupResponse } from './14-sync-group'
import { DescribeGroupsRequest, DescribeGroupsResponse } from './15-describe-groups'
import { ListGroupsRequest, ListGroupsResponse } from './16-list-groups'
import { ApiVersionsRequest, ApiVersionsResponse } from './18-api-versions'
import { CreateTopicsRequest, CreateTopicsResponse } from './19-create-topics'
import { DeleteTopicsRequest, DeleteTopicsResponse } from './20-delete-topics'
import { InitProducerIdRequest, InitProducerIdResponse } from './22-init-producer-id'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from './23-offset-for-leader-epoch'
import { DescribeConfigsRequest, DescribeConfigsResponse } from './32-describe-configs'
import { DescribeClusterRequest, DescribeClusterResponse } from './60-describe-cluster'

export interface MessagePair {
  readonly request: MessageSpec
  readonly response: MessageSpec
}

/** Every message that we have a schema for, by its key: typed, so that a handler knows what it gets and must answer. */
export const apiMessages = {
  [ApiKey.Produce]: { request: ProduceRequest, response: ProduceResponse },
  [ApiKey.Fetch]: { request: FetchRequest, response: FetchResponse },
  [ApiKey.ListOffsets]: { request: ListOffsetsRequest, response: ListOffsetsResponse },
  [ApiKey.Metadata]: { request: MetadataRequest, response: MetadataResponse },
  [ApiKey.OffsetCommit]: { request: OffsetCommitRequest, response: OffsetCommitResponse },
  [ApiKey.OffsetFetch]: { request: OffsetFetchRequest, response: OffsetFetchResponse },
  [ApiKey.FindCoordinator]: { request: FindCoordinatorRequest, response: FindCoordinatorResponse },
  [ApiKey.JoinGroup]: { request: JoinGroupRequest, response: JoinGroupResponse },
  [ApiKey.Heartbeat]: { request: HeartbeatRequest, response: HeartbeatResponse },
  [ApiKey.LeaveGroup]: { request: LeaveGroupRequest, response: LeaveGroupResponse },
  [ApiKey.SyncGroup]: { request: SyncGroupRequest, response: SyncGroupResponse },
  [ApiKey.DescribeGroups]: { request: DescribeGroupsRequest, response: DescribeGroupsResponse },
  [ApiKey.ListGroups]: { request: ListGroupsRequest, response: ListGroupsResponse },
  [ApiKey.ApiVersions]: { request: ApiVersionsRequest, response: ApiVersionsResponse },
  [ApiKey.CreateTopics]: { request: CreateTopicsRequest, response: CreateTopicsResponse },
  [ApiKey.DeleteTopics]: { request: DeleteTopicsRequest, response: DeleteTopicsResponse },
  [ApiKey.InitProducerId]: { request: InitProducerIdRequest, response: InitProducerIdResponse },
  [ApiKey.OffsetForLeaderEpoch]: {
    request: OffsetForLeaderEpochRequest,
    response: OffsetForLeaderEpochResponse,
  },
  [ApiKey.DescribeConfigs]: { request: DescribeConfigsRequest, response: DescribeConfigsResponse },
  [ApiKey.DescribeCluster]: { request: DescribeClusterRequest, response: DescribeClusterResponse },
} as const
export type ServedApiKey = keyof typeof apiMessages

/** The same as a list, in the order of the keys. */
export const messages: readonly MessagePair[] = Object.values(apiMessages)

const pairs = new Map<number, MessagePair>(messages.map((pair) => [pair.request.key, pair]))

export function messagesOf(apiKey: number): MessagePair | undefined {
  return pairs.get(apiKey)
}

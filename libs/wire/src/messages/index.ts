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

/** Every message that we have a schema for, in the order of its key. */
export const messages: readonly MessagePair[] = [
  { request: ProduceRequest, response: ProduceResponse },
  { request: FetchRequest, response: FetchResponse },
  { request: ListOffsetsRequest, response: ListOffsetsResponse },
  { request: MetadataRequest, response: MetadataResponse },
  { request: OffsetCommitRequest, response: OffsetCommitResponse },
  { request: OffsetFetchRequest, response: OffsetFetchResponse },
  { request: FindCoordinatorRequest, response: FindCoordinatorResponse },
  { request: JoinGroupRequest, response: JoinGroupResponse },
  { request: HeartbeatRequest, response: HeartbeatResponse },
  { request: LeaveGroupRequest, response: LeaveGroupResponse },
  { request: SyncGroupRequest, response: SyncGroupResponse },
  { request: DescribeGroupsRequest, response: DescribeGroupsResponse },
  { request: ListGroupsRequest, response: ListGroupsResponse },
  { request: ApiVersionsRequest, response: ApiVersionsResponse },
  { request: CreateTopicsRequest, response: CreateTopicsResponse },
  { request: DeleteTopicsRequest, response: DeleteTopicsResponse },
  { request: InitProducerIdRequest, response: InitProducerIdResponse },
  { request: OffsetForLeaderEpochRequest, response: OffsetForLeaderEpochResponse },
  { request: DescribeConfigsRequest, response: DescribeConfigsResponse },
  { request: DescribeClusterRequest, response: DescribeClusterResponse },
]

const pairs = new Map<number, MessagePair>(messages.map((pair) => [pair.request.key, pair]))

export function messagesOf(apiKey: number): MessagePair | undefined {
  return pairs.get(apiKey)
}

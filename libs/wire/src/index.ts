export {
  field,
  INT64_MAX,
  list,
  message,
  parseVersions,
  struct,
  type Infer,
  type InferInput,
  type MessageSpec,
  type VersionRange,
} from './schema'
export { ZERO_UUID } from '@millrace/base'
export { ApiKey, apiName } from './api-keys'
export { decode, decodeVersioned, encode, encodeVersioned } from './codec'
export {
  ErrorCode,
  errorName,
  errorText,
  isRetriable,
  ProtocolError,
  protocolError,
  type ErrorName,
} from './error-codes'
export { isWireError, wireErrors } from './errors'
export { decodeResponse, encodeRequest, encodeResponse } from './frame'
export { FrameSplitter } from './frame-splitter'
export { decodeRequestHeader, type RequestHeader } from './header'
export {
  apiMessages,
  messages,
  messagesOf,
  type MessagePair,
  type ServedApiKey,
} from './messages'
export { ProduceRequest, ProduceResponse } from './messages/00-produce'
export { FetchRequest, FetchResponse } from './messages/01-fetch'
export { ListOffsetsRequest, ListOffsetsResponse } from './messages/02-list-offsets'
export { MetadataRequest, MetadataResponse } from './messages/03-metadata'
export { OffsetCommitRequest, OffsetCommitResponse } from './messages/08-offset-commit'
export { OffsetFetchRequest, OffsetFetchResponse } from './messages/09-offset-fetch'
export { FindCoordinatorRequest, FindCoordinatorResponse } from './messages/10-find-coordinator'
export { JoinGroupRequest, JoinGroupResponse } from './messages/11-join-group'
export { HeartbeatRequest, HeartbeatResponse } from './messages/12-heartbeat'
export { LeaveGroupRequest, LeaveGroupResponse } from './messages/13-leave-group'
export { SyncGroupRequest, SyncGroupResponse } from './messages/14-sync-group'
export { DescribeGroupsRequest, DescribeGroupsResponse } from './messages/15-describe-groups'
export { ListGroupsRequest, ListGroupsResponse } from './messages/16-list-groups'
export { ApiVersionsRequest, ApiVersionsResponse } from './messages/18-api-versions'
export { CreateTopicsRequest, CreateTopicsResponse } from './messages/19-create-topics'
export { DeleteTopicsRequest, DeleteTopicsResponse } from './messages/20-delete-topics'
export { InitProducerIdRequest, InitProducerIdResponse } from './messages/22-init-producer-id'
export {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from './messages/23-offset-for-leader-epoch'
export { DescribeConfigsRequest, DescribeConfigsResponse } from './messages/32-describe-configs'
export { DescribeClusterRequest, DescribeClusterResponse } from './messages/60-describe-cluster'

/** Code, whether a client may try again, and what it means: [code, isRetriable, text]. */
type Row = readonly [code: number, isRetriable: boolean, text: string]

/** Every error of the Kafka 4.3 protocol. The names and numbers are Kafka's, the texts are ours. */
const rows = {
  UNKNOWN_SERVER_ERROR: [-1, false, 'The broker hit a condition it has no code for; see its log.'],
  NONE: [0, false, 'No error.'],
  OFFSET_OUT_OF_RANGE: [1, false, 'The partition does not hold that offset, or not any more.'],
  CORRUPT_MESSAGE: [2, true, 'A batch is damaged: its checksum, size or layout is wrong.'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, true, 'This broker knows no such topic or partition.'],
  INVALID_FETCH_SIZE: [4, false, 'The number of bytes to fetch makes no sense.'],
  LEADER_NOT_AVAILABLE: [5, true, 'The partition has no leader at the moment.'],
  NOT_LEADER_OR_FOLLOWER: [6, true, 'The partition lives on another broker; refresh the metadata.'],
  REQUEST_TIMED_OUT: [7, true, 'The request was not done within its time limit.'],
  BROKER_NOT_AVAILABLE: [8, false, 'The broker cannot be reached.'],
  REPLICA_NOT_AVAILABLE: [9, true, 'The replica asked for cannot serve the partition now.'],
  MESSAGE_TOO_LARGE: [10, false, 'A batch is larger than max.message.bytes allows.'],
  STALE_CONTROLLER_EPOCH: [11, false, 'The sender is no longer the controller.'],
  OFFSET_METADATA_TOO_LARGE: [12, false, 'The text stored with the offset is too long.'],
  NETWORK_EXCEPTION: [13, true, 'The connection broke before the answer came.'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, true, 'The coordinator is still reading its state.'],
  COORDINATOR_NOT_AVAILABLE: [15, true, 'There is no coordinator at the moment.'],
  NOT_COORDINATOR: [
    16,
    true,
    'Another broker coordinates this group or transaction; look it up again.',
  ],
  INVALID_TOPIC_EXCEPTION: [
    17,
    false,
    'The topic name is not allowed, or the topic is not open to this.',
  ],
  RECORD_LIST_TOO_LARGE: [18, false, 'The batches do not fit into one segment of the log.'],
  NOT_ENOUGH_REPLICAS: [
    19,
    true,
    'Not written: fewer replicas are in sync than min.insync.replicas.',
  ],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, true, 'Written, but then too few replicas were in sync.'],
  INVALID_REQUIRED_ACKS: [21, false, 'acks must be 0, 1 or -1.'],
  ILLEGAL_GENERATION: [22, false, 'The group has moved on to another generation.'],
  INCONSISTENT_GROUP_PROTOCOL: [
    23,
    false,
    'The member shares no protocol with the rest of the group.',
  ],
  INVALID_GROUP_ID: [24, false, 'The group id is empty or not allowed.'],
  UNKNOWN_MEMBER_ID: [25, false, 'The group has no such member; join again.'],
  INVALID_SESSION_TIMEOUT: [26, false, 'The session timeout is outside the limits of the broker.'],
  REBALANCE_IN_PROGRESS: [27, false, 'The group is sharing out its partitions; join again.'],
  INVALID_COMMIT_OFFSET_SIZE: [28, false, 'The commit is too large to be stored.'],
  TOPIC_AUTHORIZATION_FAILED: [29, false, 'No right to do this with the topic.'],
  GROUP_AUTHORIZATION_FAILED: [30, false, 'No right to do this with the group.'],
  CLUSTER_AUTHORIZATION_FAILED: [31, false, 'No right to do this with the cluster.'],
  INVALID_TIMESTAMP: [32, false, 'A record time is too far from the time of the broker.'],
  UNSUPPORTED_SASL_MECHANISM: [33, false, 'The broker does not offer this way to log in.'],
  ILLEGAL_SASL_STATE: [34, false, 'This request does not belong at this point of the login.'],
  UNSUPPORTED_VERSION: [35, false, 'The broker does not speak this version of the request.'],
  TOPIC_ALREADY_EXISTS: [36, false, 'A topic of that name exists.'],
  INVALID_PARTITIONS: [37, false, 'The number of partitions is not possible.'],
  INVALID_REPLICATION_FACTOR: [
    38,
    false,
    'The replication factor is not from 1 to the number of brokers.',
  ],
  INVALID_REPLICA_ASSIGNMENT: [39, false, 'The replicas cannot be placed as asked.'],
  INVALID_CONFIG: [40, false, 'A configuration key or value is not valid.'],
  NOT_CONTROLLER: [41, true, 'Another node is the controller.'],
  INVALID_REQUEST: [42, false, 'The parts of the request contradict each other or the protocol.'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, false, 'The stored message format cannot do this.'],
  POLICY_VIOLATION: [44, false, 'A policy of this cluster forbids it.'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, false, 'A batch of this producer is missing before this one.'],
  DUPLICATE_SEQUENCE_NUMBER: [46, false, 'This batch was written before.'],
  INVALID_PRODUCER_EPOCH: [47, false, 'The epoch of the producer is out of date.'],
  INVALID_TXN_STATE: [48, false, 'The transaction is not in a state that allows this.'],
  INVALID_PRODUCER_ID_MAPPING: [
    49,
    false,
    'The producer id does not belong to the transactional id.',
  ],
  INVALID_TRANSACTION_TIMEOUT: [50, false, 'The timeout is above transaction.max.timeout.ms.'],
  CONCURRENT_TRANSACTIONS: [51, true, 'The transaction before this one is still being finished.'],
  TRANSACTION_COORDINATOR_FENCED: [
    52,
    false,
    'A newer coordinator has taken the transaction over.',
  ],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, false, 'No right to use the transactional id.'],
  SECURITY_DISABLED: [54, false, 'The broker runs without authorisation.'],
  OPERATION_NOT_ATTEMPTED: [55, false, 'Not tried, since another part of the request failed.'],
  KAFKA_STORAGE_ERROR: [56, true, 'The disk of the partition failed; its directory is offline.'],
  LOG_DIR_NOT_FOUND: [57, false, 'The broker has no such log directory.'],
  SASL_AUTHENTICATION_FAILED: [58, false, 'The login was refused.'],
  UNKNOWN_PRODUCER_ID: [59, false, 'Nothing is stored about this producer any more.'],
  REASSIGNMENT_IN_PROGRESS: [60, false, 'The partition is being moved already.'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, false, 'Delegation tokens are switched off.'],
  DELEGATION_TOKEN_NOT_FOUND: [62, false, 'There is no such delegation token.'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, false, 'The delegation token belongs to someone else.'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [
    64,
    false,
    'Tokens need a connection with a login of its own.',
  ],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, false, 'No right to use the delegation token.'],
  DELEGATION_TOKEN_EXPIRED: [66, false, 'The delegation token has expired.'],
  INVALID_PRINCIPAL_TYPE: [67, false, 'This kind of principal is not supported.'],
  NON_EMPTY_GROUP: [68, false, 'The group still has members.'],
  GROUP_ID_NOT_FOUND: [69, false, 'There is no such group.'],
  FETCH_SESSION_ID_NOT_FOUND: [70, true, 'The fetch session is gone; start another one.'],
  INVALID_FETCH_SESSION_EPOCH: [
    71,
    true,
    'The fetch session is at another epoch; start another one.',
  ],
  LISTENER_NOT_FOUND: [
    72,
    true,
    'The leader has no listener like the one this request came in by.',
  ],
  TOPIC_DELETION_DISABLED: [73, false, 'Topics must not be deleted here.'],
  FENCED_LEADER_EPOCH: [74, true, 'The leader epoch of the request is out of date.'],
  UNKNOWN_LEADER_EPOCH: [75, true, 'This broker has not heard of that leader epoch yet.'],
  UNSUPPORTED_COMPRESSION_TYPE: [
    76,
    false,
    'The client cannot read the compression of the partition.',
  ],
  STALE_BROKER_EPOCH: [77, false, 'The broker has registered again since.'],
  OFFSET_NOT_AVAILABLE: [78, true, 'A new leader does not know its high watermark yet.'],
  MEMBER_ID_REQUIRED: [79, false, 'Join again with the member id of this answer.'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, true, 'The preferred leader cannot lead now.'],
  GROUP_MAX_SIZE_REACHED: [81, false, 'The group is full.'],
  FENCED_INSTANCE_ID: [82, false, 'Another process has taken over this group.instance.id.'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, true, 'No replica that may lead is alive.'],
  ELECTION_NOT_NEEDED: [84, true, 'The partition has the leader it should have.'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, false, 'The partition is not being moved.'],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, false, 'The group still reads the topic, so its offsets stay.'],
  INVALID_RECORD: [87, false, 'A record breaks a rule of its topic.'],
  UNSTABLE_OFFSET_COMMIT: [88, true, 'An open transaction may still change the offset.'],
  THROTTLING_QUOTA_EXCEEDED: [89, true, 'The quota is used up; try later.'],
  PRODUCER_FENCED: [90, false, 'A newer producer has the same transactional id.'],
  RESOURCE_NOT_FOUND: [91, false, 'The thing named in the request does not exist.'],
  DUPLICATE_RESOURCE: [92, false, 'The request names the same thing twice.'],
  UNACCEPTABLE_CREDENTIAL: [93, false, 'The credential is too weak or malformed.'],
  INCONSISTENT_VOTER_SET: [94, false, 'The two sides disagree about who votes.'],
  INVALID_UPDATE_VERSION: [95, false, 'The feature cannot go to that version.'],
  FEATURE_UPDATE_FAILED: [96, false, 'The features could not be stored.'],
  PRINCIPAL_DESERIALIZATION_FAILURE: [
    97,
    false,
    'The principal of a forwarded request is unreadable.',
  ],
  SNAPSHOT_NOT_FOUND: [98, false, 'There is no such snapshot.'],
  POSITION_OUT_OF_RANGE: [99, false, 'The position is outside the snapshot.'],
  UNKNOWN_TOPIC_ID: [100, true, 'This broker knows no topic of that id.'],
  DUPLICATE_BROKER_REGISTRATION: [101, false, 'A live broker has this id already.'],
  BROKER_ID_NOT_REGISTERED: [102, false, 'No broker has registered with this id.'],
  INCONSISTENT_TOPIC_ID: [103, true, 'The topic was created anew under another id.'],
  INCONSISTENT_CLUSTER_ID: [104, false, 'The request is meant for another cluster.'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, false, 'There is no such transactional id.'],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, true, 'The fetch session mixes topic names and topic ids.'],
  INELIGIBLE_REPLICA: [107, false, 'A replica of the wanted in-sync set may not be in it.'],
  NEW_LEADER_ELECTED: [108, false, 'The change is stored, and the partition has a new leader now.'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, false, 'The offset is only in remote storage.'],
  FENCED_MEMBER_EPOCH: [
    110,
    false,
    'The member is out of date: it must give all up and join again.',
  ],
  UNRELEASED_INSTANCE_ID: [111, false, 'The member with this instance id has not left yet.'],
  UNSUPPORTED_ASSIGNOR: [112, false, 'The group cannot use this assignor.'],
  STALE_MEMBER_EPOCH: [113, false, 'The member must first learn its new epoch by a heartbeat.'],
  MISMATCHED_ENDPOINT_TYPE: [
    114,
    false,
    'A broker was asked what a controller knows, or vice versa.',
  ],
  UNSUPPORTED_ENDPOINT_TYPE: [115, false, 'This kind of endpoint is not supported.'],
  UNKNOWN_CONTROLLER_ID: [116, false, 'There is no controller of that id.'],
  UNKNOWN_SUBSCRIPTION_ID: [117, false, 'The telemetry subscription is out of date.'],
  TELEMETRY_TOO_LARGE: [118, false, 'The telemetry sent is too large.'],
  INVALID_REGISTRATION: [119, false, 'The registration of the broker was refused.'],
  TRANSACTION_ABORTABLE: [120, false, 'The transaction failed; abort it and go on.'],
  INVALID_RECORD_STATE: [121, false, 'The record is not held by this consumer any more.'],
  SHARE_SESSION_NOT_FOUND: [122, true, 'The share session is gone; start another one.'],
  INVALID_SHARE_SESSION_EPOCH: [123, true, 'The share session is at another epoch.'],
  FENCED_STATE_EPOCH: [124, false, 'The state of the share group is at another epoch.'],
  INVALID_VOTER_KEY: [125, false, 'The voter key is not that of the receiver.'],
  DUPLICATE_VOTER: [126, false, 'The node votes already.'],
  VOTER_NOT_FOUND: [127, false, 'The node is no voter.'],
  INVALID_REGULAR_EXPRESSION: [128, false, 'The regular expression cannot be parsed.'],
  REBOOTSTRAP_REQUIRED: [129, false, 'The client must start over from its bootstrap servers.'],
  STREAMS_INVALID_TOPOLOGY: [130, false, 'The streams topology is not valid.'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, false, 'The epoch of the streams topology is not valid.'],
  STREAMS_TOPOLOGY_FENCED: [132, false, 'The streams topology is out of date.'],
  SHARE_SESSION_LIMIT_REACHED: [133, true, 'The broker holds as many share sessions as it may.'],
} as const satisfies Record<string, Row>

export type ErrorName = keyof typeof rows
type Codes = { readonly [Name in ErrorName]: (typeof rows)[Name][0] }

/** The codes by name: `ErrorCode.NOT_COORDINATOR`. */
export const ErrorCode = Object.fromEntries(
  Object.entries(rows).map(([name, [code]]) => [name, code]),
) as Codes
export type ErrorCode = Codes[ErrorName]

const byCode = new Map<number, { name: ErrorName; row: Row }>(
  Object.entries(rows).map(([name, row]) => [row[0], { name: name as ErrorName, row }]),
)
const UNKNOWN = { name: 'UNKNOWN_SERVER_ERROR', row: rows.UNKNOWN_SERVER_ERROR } as const

/** `NOT_COORDINATOR` for 16. A code of a later Kafka counts as UNKNOWN_SERVER_ERROR. */
export function errorName(code: number): ErrorName {
  return (byCode.get(code) ?? UNKNOWN).name
}

export function isRetriable(code: number): boolean {
  return (byCode.get(code) ?? UNKNOWN).row[1]
}

/** A sentence for people. */
export function errorText(code: number): string {
  return (byCode.get(code) ?? UNKNOWN).row[2]
}

/** A failure that has a place in the protocol: a handler turns it into the error code of its answer. */
export class ProtocolError extends Error {
  readonly errorCode: number

  constructor(errorCode: number, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'ProtocolError'
    this.errorCode = errorCode
  }

  /** `NOT_COORDINATOR`; stable like every `code` of an error. */
  get code(): ErrorName {
    return errorName(this.errorCode)
  }

  get retriable(): boolean {
    return isRetriable(this.errorCode)
  }
}

export function protocolError(errorCode: number, message?: string): ProtocolError {
  return new ProtocolError(errorCode, message ?? errorText(errorCode))
}

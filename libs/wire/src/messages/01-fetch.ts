/**
 * Fetch, key 1 - versions 4 to 18: read record batches, as a consumer or as a follower.
 * Versions: 4 isolation level, batches of format v2; 5 log start offset; 7 fetch sessions;
 *   9 leader epoch of the reader; 10 zstd; 11 reading from the nearest replica; 12 flexible,
 *   divergence of logs, current leader; 13 topic ids instead of names; 15 the follower's epoch;
 *   16 addresses of new leaders; 17 id of the follower's directory; 18 high watermark that the
 *   follower knows.
 */
import { field, INT64_MAX, list, struct, message, type Infer } from '../schema'

export const FetchRequest = message(
  { name: 'FetchRequest', key: 1, versions: '4-18', flexible: '12+' },
  {
    clusterId: field('string?', '12+', { default: null, tag: 0 }),
    replicaId: field('int32', '0-14', { default: -1, doc: '-1 from a consumer.' }),
    replicaState: struct(
      '15+',
      {
        replicaId: field('int32', '15+', { default: -1 }),
        replicaEpoch: field('int64', '15+', { default: -1 }),
      },
      { tag: 1 },
    ),
    maxWaitMs: field('int32', '0+'),
    minBytes: field('int32', '0+', {
      doc: 'The answer waits for that many, for maxWaitMs at most.',
    }),
    maxBytes: field('int32', '3+', { default: 0x7fffffff }),
    isolationLevel: field('int8', '4+', {
      default: 0,
      doc: '0 read uncommitted, 1 read committed.',
    }),
    sessionId: field('int32', '7+', { default: 0 }),
    sessionEpoch: field('int32', '7+', {
      default: -1,
      doc: '0 opens a session, -1 asks without one.',
    }),
    topics: list('0+', {
      topic: field('string', '0-12'),
      topicId: field('uuid', '13+'),
      partitions: list('0+', {
        partition: field('int32', '0+'),
        currentLeaderEpoch: field('int32', '9+', {
          default: -1,
          doc: 'Fences a reader that follows a former leader; -1 if it does not know.',
        }),
        fetchOffset: field('int64', '0+'),
        lastFetchedEpoch: field('int32', '12+', {
          default: -1,
          doc: 'Of the last record the follower has; -1 from a consumer.',
        }),
        logStartOffset: field('int64', '5+', { default: -1 }),
        partitionMaxBytes: field('int32', '0+'),
        replicaDirectoryId: field('uuid', '17+', { tag: 0 }),
        highWatermark: field('int64', '18+', { default: INT64_MAX, tag: 1 }),
      }),
    }),
    forgottenTopicsData: list('7+', {
      topic: field('string', '7-12'),
      topicId: field('uuid', '13+'),
      partitions: list('7+', 'int32'),
    }),
    rackId: field('string', '11+', { default: '' }),
  },
)
export type FetchRequest = Infer<typeof FetchRequest>

export const FetchResponse = message(
  { name: 'FetchResponse', key: 1, versions: '4-18', flexible: '12+' },
  {
    throttleTimeMs: field('int32', '1+'),
    errorCode: field('int16', '7+'),
    sessionId: field('int32', '7+', { default: 0 }),
    responses: list('0+', {
      topic: field('string', '0-12'),
      topicId: field('uuid', '13+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
        highWatermark: field('int64', '0+'),
        lastStableOffset: field('int64', '4+', {
          default: -1,
          doc: 'Exclusive: read committed stops here.',
        }),
        logStartOffset: field('int64', '5+', { default: -1 }),
        divergingEpoch: struct(
          '12+',
          {
            epoch: field('int32', '12+', { default: -1 }),
            endOffset: field('int64', '12+', { default: -1 }),
          },
          { tag: 0 },
        ),
        currentLeader: struct(
          '12+',
          {
            leaderId: field('int32', '12+', { default: -1 }),
            leaderEpoch: field('int32', '12+', { default: -1 }),
          },
          { tag: 1 },
        ),
        snapshotId: struct(
          '12+',
          {
            endOffset: field('int64', '0+', { default: -1 }),
            epoch: field('int32', '0+', { default: -1 }),
          },
          { tag: 2 },
        ),
        abortedTransactions: list(
          '4+',
          {
            producerId: field('int64', '4+'),
            firstOffset: field('int64', '4+'),
          },
          { nullable: '4+' },
        ),
        preferredReadReplica: field('int32', '11+', {
          default: -1,
          doc: '-1 to go on reading here.',
        }),
        records: field('records?', '0+', {
          doc: 'Whole batches; the first may begin before the offset asked for.',
        }),
      }),
    }),
    nodeEndpoints: list(
      '16+',
      {
        nodeId: field('int32', '16+'),
        host: field('string', '16+'),
        port: field('int32', '16+'),
        rack: field('string?', '16+', { default: null }),
      },
      { tag: 0 },
    ),
  },
)
export type FetchResponse = Infer<typeof FetchResponse>

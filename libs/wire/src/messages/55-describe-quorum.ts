/**
 * DescribeQuorum, key 55 - versions 0 to 2: voters and observers of the metadata. The answer has
 *   no throttle time.
 * Versions: 1 times of the last fetch; 2 error texts, directory ids, addresses of the nodes.
 */
import { field, list, message, type Infer } from '../schema'

export const DescribeQuorumRequest = message(
  { name: 'DescribeQuorumRequest', key: 55, versions: '0-2', flexible: '0+' },
  {
    topics: list('0+', {
      topicName: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
      }),
    }),
  },
)
export type DescribeQuorumRequest = Infer<typeof DescribeQuorumRequest>

export const DescribeQuorumResponse = message(
  { name: 'DescribeQuorumResponse', key: 55, versions: '0-2', flexible: '0+' },
  {
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '2+'),
    topics: list('0+', {
      topicName: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
        errorMessage: field('string?', '2+'),
        leaderId: field('int32', '0+'),
        leaderEpoch: field('int32', '0+'),
        highWatermark: field('int64', '0+'),
        currentVoters: list('0+', {
          replicaId: field('int32', '0+'),
          replicaDirectoryId: field('uuid', '2+'),
          logEndOffset: field('int64', '0+'),
          lastFetchTimestamp: field('int64', '1+', { default: -1 }),
          lastCaughtUpTimestamp: field('int64', '1+', { default: -1 }),
        }),
        observers: list('0+', {
          replicaId: field('int32', '0+'),
          replicaDirectoryId: field('uuid', '2+'),
          logEndOffset: field('int64', '0+'),
          lastFetchTimestamp: field('int64', '1+', { default: -1 }),
          lastCaughtUpTimestamp: field('int64', '1+', { default: -1 }),
        }),
      }),
    }),
    nodes: list('2+', {
      nodeId: field('int32', '2+'),
      listeners: list('2+', {
        name: field('string', '2+'),
        host: field('string', '2+'),
        port: field('uint16', '2+'),
      }),
    }),
  },
)
export type DescribeQuorumResponse = Infer<typeof DescribeQuorumResponse>

/**
 * Metadata, key 3 - versions 0 to 13: brokers, topics, and who leads which partition.
 * Versions: 0 an empty list asks for all topics, from 1 on null does and an empty list asks for
 *   none; 1 racks, controller, internal topics; 2 cluster id; 4 creation of missing topics can be
 *   declined; 5 offline replicas; 7 leader epochs; 8 authorised operations; 9 flexible; 10 topic
 *   ids in the answer; 11 no operations of the cluster any more (see DescribeCluster); 12 asking
 *   by topic id; 13 error for the whole.
 */
import { field, list, message, type Infer } from '../schema'

export const MetadataRequest = message(
  { name: 'MetadataRequest', key: 3, versions: '0-13', flexible: '9+' },
  {
    topics: list(
      '0+',
      {
        topicId: field('uuid', '10+'),
        name: field('string', '0+', { nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: field('bool', '4+', { default: true }),
    includeClusterAuthorizedOperations: field('bool', '8-10'),
    includeTopicAuthorizedOperations: field('bool', '8+'),
  },
)
export type MetadataRequest = Infer<typeof MetadataRequest>

export const MetadataResponse = message(
  { name: 'MetadataResponse', key: 3, versions: '0-13', flexible: '9+' },
  {
    throttleTimeMs: field('int32', '3+'),
    brokers: list('0+', {
      nodeId: field('int32', '0+'),
      host: field('string', '0+'),
      port: field('int32', '0+'),
      rack: field('string?', '1+', { default: null }),
    }),
    clusterId: field('string?', '2+', { default: null }),
    controllerId: field('int32', '1+', { default: -1 }),
    topics: list('0+', {
      errorCode: field('int16', '0+'),
      name: field('string', '0+', { nullable: '12+' }),
      topicId: field('uuid', '10+'),
      isInternal: field('bool', '1+', { default: false }),
      partitions: list('0+', {
        errorCode: field('int16', '0+'),
        partitionIndex: field('int32', '0+'),
        leaderId: field('int32', '0+', { doc: '-1 while there is no leader.' }),
        leaderEpoch: field('int32', '7+', { default: -1 }),
        replicaNodes: list('0+', 'int32'),
        isrNodes: list('0+', 'int32'),
        offlineReplicas: list('5+', 'int32'),
      }),
      topicAuthorizedOperations: field('int32', '8+', {
        default: -2147483648,
        doc: 'A bit per ACL operation; the smallest int32 if not asked for.',
      }),
    }),
    clusterAuthorizedOperations: field('int32', '8-10', { default: -2147483648 }),
    errorCode: field('int16', '13+'),
  },
)
export type MetadataResponse = Infer<typeof MetadataResponse>

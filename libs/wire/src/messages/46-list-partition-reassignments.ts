/**
 * ListPartitionReassignments, key 46 - version 0 only: partitions on their way to other brokers.
 */
import { field, list, message, type Infer } from '../schema'

export const ListPartitionReassignmentsRequest = message(
  { name: 'ListPartitionReassignmentsRequest', key: 46, versions: '0', flexible: '0+' },
  {
    timeoutMs: field('int32', '0+', { default: 60000 }),
    topics: list(
      '0+',
      {
        name: field('string', '0+'),
        partitionIndexes: list('0+', 'int32'),
      },
      { default: null, nullable: '0+' },
    ),
  },
)
export type ListPartitionReassignmentsRequest = Infer<typeof ListPartitionReassignmentsRequest>

export const ListPartitionReassignmentsResponse = message(
  { name: 'ListPartitionReassignmentsResponse', key: 46, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+'),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        replicas: list('0+', 'int32'),
        addingReplicas: list('0+', 'int32'),
        removingReplicas: list('0+', 'int32'),
      }),
    }),
  },
)
export type ListPartitionReassignmentsResponse = Infer<typeof ListPartitionReassignmentsResponse>

/**
 * AlterPartitionReassignments, key 45 - versions 0 to 1: moves partitions to other brokers; null
 *   replicas end a move.
 * Versions: 0 flexible from the start; 1 the number of replicas can be kept from changing.
 */
import { field, list, message, type Infer } from '../schema'

export const AlterPartitionReassignmentsRequest = message(
  { name: 'AlterPartitionReassignmentsRequest', key: 45, versions: '0-1', flexible: '0+' },
  {
    timeoutMs: field('int32', '0+', { default: 60000 }),
    allowReplicationFactorChange: field('bool', '1+', { default: true }),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        replicas: list('0+', 'int32', { default: null, nullable: '0+' }),
      }),
    }),
  },
)
export type AlterPartitionReassignmentsRequest = Infer<typeof AlterPartitionReassignmentsRequest>

export const AlterPartitionReassignmentsResponse = message(
  { name: 'AlterPartitionReassignmentsResponse', key: 45, versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    allowReplicationFactorChange: field('bool', '1+', { default: true }),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+'),
    responses: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
        errorMessage: field('string?', '0+'),
      }),
    }),
  },
)
export type AlterPartitionReassignmentsResponse = Infer<typeof AlterPartitionReassignmentsResponse>

/**
 * ElectLeaders, key 43 - versions 0 to 2: elects leaders of partitions, of all if
 *   `topicPartitions` is null.
 * Versions: 1 unclean elections, an error of the whole request; 2 flexible.
 */
import { field, list, message, type Infer } from '../schema'

export const ElectLeadersRequest = message(
  { name: 'ElectLeadersRequest', key: 43, versions: '0-2', flexible: '2+' },
  {
    electionType: field('int8', '1+'),
    topicPartitions: list(
      '0+',
      {
        topic: field('string', '0+'),
        partitions: list('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    timeoutMs: field('int32', '0+', { default: 60000 }),
  },
)
export type ElectLeadersRequest = Infer<typeof ElectLeadersRequest>

export const ElectLeadersResponse = message(
  { name: 'ElectLeadersResponse', key: 43, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '1+'),
    replicaElectionResults: list('0+', {
      topic: field('string', '0+'),
      partitionResult: list('0+', {
        partitionId: field('int32', '0+'),
        errorCode: field('int16', '0+'),
        errorMessage: field('string?', '0+'),
      }),
    }),
  },
)
export type ElectLeadersResponse = Infer<typeof ElectLeadersResponse>

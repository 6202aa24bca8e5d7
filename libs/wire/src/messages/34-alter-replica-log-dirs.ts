/**
 * AlterReplicaLogDirs, key 34 - versions 1 to 2: moves replicas between directories of the broker
 *   that is asked.
 * Versions: 2 flexible.
 */
import { field, list, message, type Infer } from '../schema'

export const AlterReplicaLogDirsRequest = message(
  { name: 'AlterReplicaLogDirsRequest', key: 34, versions: '1-2', flexible: '2+' },
  {
    dirs: list('0+', {
      path: field('string', '0+'),
      topics: list('0+', {
        name: field('string', '0+'),
        partitions: list('0+', 'int32'),
      }),
    }),
  },
)
export type AlterReplicaLogDirsRequest = Infer<typeof AlterReplicaLogDirsRequest>

export const AlterReplicaLogDirsResponse = message(
  { name: 'AlterReplicaLogDirsResponse', key: 34, versions: '1-2', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    results: list('0+', {
      topicName: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
      }),
    }),
  },
)
export type AlterReplicaLogDirsResponse = Infer<typeof AlterReplicaLogDirsResponse>

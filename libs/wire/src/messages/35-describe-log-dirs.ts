/**
 * DescribeLogDirs, key 35 - versions 1 to 5: log directories with their replicas. No topics is all
 *   of them (null), an empty list is none.
 * Versions: 2 flexible; 3 error of the whole request; 4 bytes of the file system, -1 if unknown; 5 cordoned
 *   directories.
 */
import { field, list, message, type Infer } from '../schema'

export const DescribeLogDirsRequest = message(
  { name: 'DescribeLogDirsRequest', key: 35, versions: '1-5', flexible: '2+' },
  {
    topics: list(
      '0+',
      {
        topic: field('string', '0+'),
        partitions: list('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
  },
)
export type DescribeLogDirsRequest = Infer<typeof DescribeLogDirsRequest>

export const DescribeLogDirsResponse = message(
  { name: 'DescribeLogDirsResponse', key: 35, versions: '1-5', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '3+'),
    results: list('0+', {
      errorCode: field('int16', '0+'),
      logDir: field('string', '0+'),
      topics: list('0+', {
        name: field('string', '0+'),
        partitions: list('0+', {
          partitionIndex: field('int32', '0+'),
          partitionSize: field('int64', '0+'),
          offsetLag: field('int64', '0+'),
          isFutureKey: field('bool', '0+'),
        }),
      }),
      totalBytes: field('int64', '4+', { default: -1 }),
      usableBytes: field('int64', '4+', { default: -1 }),
      isCordoned: field('bool', '5+', { default: false }),
    }),
  },
)
export type DescribeLogDirsResponse = Infer<typeof DescribeLogDirsResponse>

/**
 * DescribeUserScramCredentials, key 50 - version 0 only: by which mechanisms users can log in.
 * `users` null or empty means all. A mechanism is 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
 */
import { field, list, message, type Infer } from '../schema'

export const DescribeUserScramCredentialsRequest = message(
  { name: 'DescribeUserScramCredentialsRequest', key: 50, versions: '0', flexible: '0+' },
  {
    users: list(
      '0+',
      {
        name: field('string', '0+'),
      },
      { nullable: '0+' },
    ),
  },
)
export type DescribeUserScramCredentialsRequest = Infer<typeof DescribeUserScramCredentialsRequest>

export const DescribeUserScramCredentialsResponse = message(
  { name: 'DescribeUserScramCredentialsResponse', key: 50, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+'),
    results: list('0+', {
      user: field('string', '0+'),
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
      credentialInfos: list('0+', {
        mechanism: field('int8', '0+'),
        iterations: field('int32', '0+'),
      }),
    }),
  },
)
export type DescribeUserScramCredentialsResponse = Infer<
  typeof DescribeUserScramCredentialsResponse
>

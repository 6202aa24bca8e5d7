/**
 * DescribeUserScramCredentials, key 50 - served: 0 to 0.
 * Does: tells which users can log in by SCRAM, by which mechanisms and with how many iterations; never what proves their passwords.
 * Versions: only one.
 * Gaps: none known.
 */
import { recordKinds } from '@millrace/controller'
import { AclOperation, CLUSTER_NAME, parseScramRecordKey, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type ResponseOf } from './handler'
import { repeated } from './repeated'

type Result = ResponseOf<typeof ApiKey.DescribeUserScramCredentials>['results'][number]
type CredentialInfo = { mechanism: number; iterations: number }

export const describeUserScramCredentials = handler(
  ApiKey.DescribeUserScramCredentials,
  { min: 0, max: 0 },
  (request, ctx) => {
    if (!ctx.allows(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME))
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
        errorMessage: 'Cluster authorization failed.',
        results: (request.users ?? []).map(() =>
          failed('', ErrorCode.CLUSTER_AUTHORIZATION_FAILED, 'Cluster authorization failed.'),
        ),
      }
    const known = infosByUser(ctx.broker.metadata().records(recordKinds.scram))
    const asked = request.users?.map(({ name }) => name) ?? []
    const names = asked.length === 0 ? [...known.keys()] : asked
    const twice = repeated(asked)
    const results = Array.from(new Set(names), (name) =>
      twice.has(name)
        ? failed(
            name,
            ErrorCode.DUPLICATE_RESOURCE,
            `Cannot describe SCRAM credentials for the same user twice in a single request: ${name}`,
          )
        : resultOf(name, known.get(name)),
    )
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: '', results }
  },
)

function infosByUser(
  records: ReadonlyMap<string, { readonly iterations: number }>,
): ReadonlyMap<string, CredentialInfo[]> {
  const byUser = new Map<string, CredentialInfo[]>()
  for (const [key, { iterations }] of records) {
    const { mechanismType, userName } = parseScramRecordKey(key)
    const infos = byUser.get(userName) ?? []
    infos.push({ mechanism: mechanismType, iterations })
    byUser.set(userName, infos)
  }
  return byUser
}

function resultOf(user: string, credentialInfos: CredentialInfo[] | undefined): Result {
  if (credentialInfos === undefined)
    return failed(
      user,
      ErrorCode.RESOURCE_NOT_FOUND,
      `Attempt to describe a user credential that does not exist: ${user}`,
    )
  return { user, errorCode: ErrorCode.NONE, errorMessage: '', credentialInfos }
}

function failed(user: string, errorCode: number, errorMessage: string): Result {
  return { user, errorCode, errorMessage, credentialInfos: [] }
}

/**
 * AlterUserScramCredentials, key 51 - served: 0 to 0.
 * Does: sets and removes what users log in with by SCRAM. The client sends its password salted and hashed; what is kept is one
 * step further, so that nobody can log in with it. In force for logins from the answer on.
 * Versions: only one.
 * Gaps: none known.
 */
import { recordKinds, type RecordsOf, type ScramRecord } from '@millrace/controller'
import {
  AclOperation,
  CLUSTER_NAME,
  credentialOf,
  ResourceType,
  SCRAM_ITERATIONS_MAX,
  SCRAM_ITERATIONS_MIN,
  scramHashes,
  scramRecordKey,
  toStored,
} from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.AlterUserScramCredentials>
type Upsertion = Request['upsertions'][number]

interface Problem {
  readonly errorCode: number
  readonly errorMessage: string
}

/** What one request wants of one user; the first problem is the user's. */
interface Change {
  readonly key: string
  readonly value: ScramRecord | null
  problem: Problem | null
}

export const alterUserScramCredentials = handler(
  ApiKey.AlterUserScramCredentials,
  { min: 0, max: 0, order: 'change' },
  async (request, ctx) => {
    if (!ctx.allows(AclOperation.ALTER, ResourceType.CLUSTER, CLUSTER_NAME))
      return answer(usersOf(request), () => ({
        errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
        errorMessage: 'Cluster authorization failed.',
      }))
    let changes = new Map<string, Change>()
    await ctx.broker.controller.changeRecords(recordKinds.scram, (records) => {
      changes = changesByUser(request, records)
      return new Map(
        [...changes.values()]
          .filter(({ problem }) => problem === null)
          .map(({ key, value }) => [key, value]),
      )
    })
    return answer(usersOf(request), (user) => changes.get(user)?.problem ?? null)
  },
)

function changesByUser(request: Request, records: RecordsOf<ScramRecord>): Map<string, Change> {
  const changes = new Map<string, Change>()
  const add = (user: string, change: Change): void => {
    const before = changes.get(user)
    if (before === undefined) changes.set(user, change)
    else
      before.problem ??= failed(
        ErrorCode.DUPLICATE_RESOURCE,
        'A user credential cannot be altered twice in the same request',
      )
  }
  for (const { name, mechanism } of request.deletions) {
    const key = scramRecordKey(mechanism, name)
    const problem =
      problemOfUser(name, mechanism) ?? (records.has(key) ? null : unknownCredential())
    add(name, { key, value: null, problem })
  }
  for (const upsertion of request.upsertions) add(upsertion.name, changeOf(upsertion))
  return changes
}

function changeOf({ name, mechanism, iterations, salt, saltedPassword }: Upsertion): Change {
  const key = scramRecordKey(mechanism, name)
  const problem = problemOfUser(name, mechanism) ?? problemOfIterations(iterations)
  const hash = scramHashes.find(({ type }) => type === mechanism)
  if (problem !== null || !hash) return { key, value: null, problem }
  return { key, value: toStored(credentialOf(hash, saltedPassword, { salt, iterations })), problem }
}

function problemOfUser(name: string, mechanism: number): Problem | null {
  if (name === '') return failed(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty')
  return scramHashes.some(({ type }) => type === mechanism)
    ? null
    : failed(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism')
}

function problemOfIterations(iterations: number): Problem | null {
  if (iterations > SCRAM_ITERATIONS_MAX)
    return failed(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too many iterations')
  return iterations < SCRAM_ITERATIONS_MIN
    ? failed(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too few iterations')
    : null
}

function unknownCredential(): Problem {
  return failed(
    ErrorCode.RESOURCE_NOT_FOUND,
    'Attempt to delete a user credential that does not exist',
  )
}

function failed(errorCode: number, errorMessage: string): Problem {
  return { errorCode, errorMessage }
}

function usersOf({ deletions, upsertions }: Request): string[] {
  return [...new Set([...deletions, ...upsertions].map(({ name }) => name))]
}

function answer(users: readonly string[], problemOf: (user: string) => Problem | null) {
  return {
    throttleTimeMs: 0,
    results: users.map((user) => ({
      user,
      errorCode: ErrorCode.NONE as number,
      errorMessage: null,
      ...problemOf(user),
    })),
  }
}

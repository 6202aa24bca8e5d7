import { randomBytes } from 'node:crypto'
import { errorMessage } from '@millrace/base'
import type { ConfigProblem, Password } from '@millrace/config'
import { recordKinds, type Controller, type ScramRecord } from '@millrace/controller'
import {
  credentialOf,
  saltedPassword,
  SCRAM_ITERATIONS_MAX,
  SCRAM_ITERATIONS_MIN,
  scramHashes,
  scramRecordKey,
  toStored,
  type ScramHash,
} from '@millrace/security'
import type { Logger } from '@millrace/telemetry'

const SALT_BYTES = 24

interface FirstUser {
  readonly hash: ScramHash
  readonly name: string
  readonly password: string
  readonly iterations: number
}

/**
 * Makes the users of `scram.bootstrap.credentials` that there are not yet: without a first one nobody could log in to make the others.
 * A user that exists keeps the password that it has.
 */
export async function addFirstUsers(
  deps: { controller: Controller; logger: Logger },
  credentials: Password | null,
): Promise<void> {
  const users = parse(credentials)
  if (users.length === 0) return
  const added: string[] = []
  await deps.controller.changeRecords(recordKinds.scram, (records) => {
    const changes = new Map<string, ScramRecord>()
    added.length = 0
    for (const { hash, name, password, iterations } of users) {
      const key = scramRecordKey(hash.type, name)
      if (records.has(key)) continue
      const options = { salt: randomBytes(SALT_BYTES), iterations }
      const salted = saltedPassword(hash, password, options)
      changes.set(key, toStored(credentialOf(hash, salted, options)))
      added.push(`${name} (${hash.name})`)
    }
    return changes
  })
  if (added.length > 0) deps.logger.info('added the first users', { users: added.join(', ') })
}

export function bootstrapProblems(credentials: Password | null): ConfigProblem[] {
  try {
    parse(credentials)
    return []
  } catch (error) {
    const expected = errorMessage(error)
    return [{ key: 'scram.bootstrap.credentials', given: '[hidden]', expected }]
  }
}

/** `SCRAM-SHA-256=[name=alice,password=secret,iterations=8192]`, as kafka-storage takes it; separated by semicolons. */
function parse(credentials: Password | null): FirstUser[] {
  const entries = (credentials?.reveal() ?? '').split(';').map((entry) => entry.trim())
  return entries.filter((entry) => entry !== '').map(parseUser)
}

function parseUser(entry: string): FirstUser {
  const [, mechanism, settings = ''] = /^(SCRAM-SHA-(?:256|512))=\[(.*)\]$/.exec(entry) ?? []
  const hash = scramHashes.find(({ name }) => name === mechanism)
  const [, name] = /(?:^|,)name=([^,]+)/.exec(settings) ?? []
  const [, password] = /(?:^|,)password=([^,]+)/.exec(settings) ?? []
  const [, iterationsText = String(SCRAM_ITERATIONS_MIN)] =
    /(?:^|,)iterations=(\d+)/.exec(settings) ?? []
  if (!hash || !name || !password) throw new Error('SCRAM-SHA-256=[name=USER,password=SECRET]')
  const iterations = Number(iterationsText)
  if (iterations < SCRAM_ITERATIONS_MIN || iterations > SCRAM_ITERATIONS_MAX)
    throw new Error(`iterations from ${SCRAM_ITERATIONS_MIN} to ${SCRAM_ITERATIONS_MAX}`)
  return { hash, name, password, iterations }
}

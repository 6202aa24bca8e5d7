import { errorMessage } from '@millrace/base'
import { parseConfig, type ConfigOf, type ConfigProblem } from '@millrace/config'
import {
  oauthConfigDefinition,
  parseJaas,
  parseUnsecuredOptions,
  scramHashes,
  type JaasEntry,
  type ScramHash,
} from '@millrace/security'
import { saslConfigDefinition } from './config-keys'
import type { ListenerProperties } from './listener-security'

const PLAIN_MODULE = 'PlainLoginModule'
const OAUTH_MODULE = 'OAuthBearerLoginModule'
const USER_OPTION = 'user_'

export type OAuthConfig = ConfigOf<typeof oauthConfigDefinition>

/** One way to log in on one listener. */
export type MechanismConfig = { readonly maxReauthMs: number } & (
  | { readonly name: 'PLAIN'; readonly passwords: ReadonlyMap<string, string> }
  | { readonly name: ScramHash['name']; readonly hash: ScramHash }
  | { readonly name: 'OAUTHBEARER'; readonly tokens: OAuthTokens }
)

/** How tokens are checked: against the keys of their issuer, or, as Kafka does without keys, not at all. */
export type OAuthTokens =
  | { readonly isSigned: true; readonly config: OAuthConfig }
  | { readonly isSigned: false; readonly options: ReturnType<typeof parseUnsecuredOptions> }

/** Reads what each mechanism of a listener needs. A mechanism that cannot be offered is a problem, not left out. */
export function parseMechanisms(
  listener: ListenerProperties,
  names: readonly string[],
  problems: ConfigProblem[],
): MechanismConfig[] {
  const mechanisms: MechanismConfig[] = []
  for (const name of new Set(names)) {
    try {
      mechanisms.push(parseMechanism(listener, name))
    } catch (error) {
      const key = isOffered(name) ? jaasKey(listener, name) : 'sasl.enabled.mechanisms'
      const given = isOffered(name) ? '[hidden]' : name
      problems.push({ key, given, expected: errorMessage(error) })
    }
  }
  if (names.length === 0)
    problems.push({ key: 'sasl.enabled.mechanisms', given: '', expected: 'at least one mechanism' })
  return mechanisms
}

function parseMechanism(listener: ListenerProperties, name: string): MechanismConfig {
  const properties = propertiesOfMechanism(listener, name)
  const { config } = parseConfig(saslConfigDefinition, properties)
  const maxReauthMs = config.connectionsMaxReauthMs
  const jaas = () => parseJaas(config.jaasConfig?.reveal() ?? '')
  const hash = scramHashes.find((one) => one.name === name)
  if (hash) return { name: hash.name, hash, maxReauthMs }
  switch (name) {
    case 'PLAIN':
      return { name, passwords: usersOf(jaas()), maxReauthMs }
    case 'OAUTHBEARER':
      return {
        name,
        tokens: tokensOf(parseConfig(oauthConfigDefinition, properties).config, jaas),
        maxReauthMs,
      }
    case 'GSSAPI':
      throw new Error('PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER: Kerberos is not served')
    default:
      throw new Error('PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER')
  }
}

function usersOf(entries: readonly JaasEntry[]): ReadonlyMap<string, string> {
  const { options } = moduleNamed(entries, PLAIN_MODULE)
  return new Map(
    [...options]
      .filter(([name]) => name.startsWith(USER_OPTION))
      .map(([name, value]) => [name.slice(USER_OPTION.length), value]),
  )
}

function tokensOf(config: OAuthConfig, jaas: () => JaasEntry[]): OAuthTokens {
  if (config.jwksEndpointUrl !== null) return { isSigned: true, config }
  const { options } = moduleNamed(jaas(), OAUTH_MODULE)
  return { isSigned: false, options: parseUnsecuredOptions(options) }
}

function moduleNamed(entries: readonly JaasEntry[], name: string): JaasEntry {
  const found = entries.find(({ loginModule }) => loginModule.split('.').at(-1) === name)
  if (!found) throw new Error(`a ${name}`)
  return found
}

/** `MECHANISM.KEY` of the listener stands in for KEY. */
function propertiesOfMechanism(
  { properties }: ListenerProperties,
  name: string,
): ListenerProperties['properties'] {
  const prefix = `${name.toLowerCase()}.`
  const own = Object.entries(properties)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value])
  return { ...properties, ...Object.fromEntries(own) }
}

function isOffered(name: string): boolean {
  return name === 'PLAIN' || name === 'OAUTHBEARER' || scramHashes.some((one) => one.name === name)
}

function jaasKey({ listenerName }: ListenerProperties, name: string): string {
  return `listener.name.${listenerName.toLowerCase()}.${name.toLowerCase()}.sasl.jaas.config`
}

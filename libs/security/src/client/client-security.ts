import { type Clock, errorMessage, type Http, type NetAddress } from '@millrace/base'
import { type ConfigOf, type ConfigProblem, parseConfig, type Properties } from '@millrace/config'
import { type JaasEntry, parseJaas } from '../sasl/jaas'
import { scramHashes } from '../scram/credential'
import { loadTlsMaterial, type ReadFile } from '../tls/stores'
import { clientSecurityDefinition } from './config'
import { oauthClient, plainClient, type SaslClient, scramClient } from './sasl-client'
import { endpointTokens, unsecuredTokens } from './tokens'

const EXTENSION_OPTION = 'extension_'

type ClientConfig = ConfigOf<typeof clientSecurityDefinition>

/** How a client connects and logs in. */
export interface ClientSecurity {
  /** Null without TLS. */
  readonly tls: NonNullable<NetAddress['tls']> | null
  /** Null without SASL. */
  readonly sasl: SaslClient | null
}

export interface ClientSecurityDeps {
  readonly clock: Clock
  readonly readFile: ReadFile
  readonly http: Http
}

/** Reads `security.protocol`, `ssl.*` and `sasl.*`, and the stores that they name. Reports every problem. */
export function parseClientSecurity(
  deps: ClientSecurityDeps,
  properties: Properties,
): { security: ClientSecurity; problems: readonly ConfigProblem[] } {
  const { config, problems: unparsed } = parseConfig(clientSecurityDefinition, properties)
  const problems = [...unparsed]
  const { securityProtocol } = config
  const tls = securityProtocol.endsWith('SSL') ? tlsOf(config, deps.readFile, problems) : null
  const sasl = securityProtocol.startsWith('SASL') ? saslOf(config, deps, problems) : null
  return { security: { tls, sasl }, problems }
}

function tlsOf(
  config: ClientConfig,
  readFile: ReadFile,
  problems: ConfigProblem[],
): ClientSecurity['tls'] {
  const { material, problems: unloaded } = loadTlsMaterial(config, readFile)
  problems.push(...unloaded)
  const { ca, ...rest } = material
  return {
    ...rest,
    ...(ca && { ca: [...ca] }),
    ...(config.endpointIdentification === '' && { checkServerIdentity: () => undefined }),
  }
}

function saslOf(
  config: ClientConfig,
  deps: ClientSecurityDeps,
  problems: ConfigProblem[],
): SaslClient | null {
  const { saslMechanism: name, saslJaasConfig } = config
  const hash = scramHashes.find((one) => one.name === name)
  if (!hash && name !== 'PLAIN' && name !== 'OAUTHBEARER') {
    const expected = 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER'
    problems.push({ key: 'sasl.mechanism', given: name, expected })
    return null
  }
  try {
    const [entry] = saslJaasConfig ? parseJaas(saslJaasConfig.reveal()) : []
    if (name === 'OAUTHBEARER') return oauthOf(config, entry, deps)
    const user = { name: option(entry, 'username'), password: option(entry, 'password') }
    const isToken = entry?.options.get('tokenauth')?.toLowerCase() === 'true'
    return hash ? scramClient(hash, { ...user, isToken }) : plainClient(user)
  } catch (error) {
    problems.push({ key: 'sasl.jaas.config', given: '[hidden]', expected: errorMessage(error) })
    return null
  }
}

function oauthOf(
  config: ClientConfig,
  entry: JaasEntry | undefined,
  { clock, readFile, http }: ClientSecurityDeps,
): SaslClient {
  const options = entry?.options ?? new Map<string, string>()
  const extensions = new Map(
    [...options]
      .filter(([name]) => name.startsWith(EXTENSION_OPTION))
      .map(([name, value]) => [name.slice(EXTENSION_OPTION.length), value]),
  )
  const { tokenEndpointUrl: url, oauthClientId, oauthClientSecret, oauthScope } = config
  if (url === null) return oauthClient(unsecuredTokens(clock, options), extensions)
  if (/^file:/i.test(url)) {
    const path = decodeURIComponent(new URL(url).pathname)
    return oauthClient(async () => readFile(path).toString('utf8').trim(), extensions)
  }
  const endpoint = {
    url,
    clientId: oauthClientId ?? option(entry, 'clientId'),
    clientSecret: oauthClientSecret?.reveal() ?? option(entry, 'clientSecret'),
    scope: oauthScope ?? options.get('scope') ?? null,
  }
  return oauthClient(endpointTokens({ clock, http }, endpoint), extensions)
}

function option(entry: JaasEntry | undefined, name: string): string {
  const value = entry?.options.get(name)
  if (value === undefined) throw new Error(`a login module with the option ${name}`)
  return value
}

import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { errorMessage } from '@millrace/base'
import {
  parseConfig,
  type ConfigDefinition,
  type ConfigOf,
  type ConfigProblem,
  type Properties,
} from '@millrace/config'
import {
  loadTlsMaterial,
  parsePrincipalRules,
  tlsServerConfigDefinition,
  type PrincipalMapper,
  type ReadFile,
  type TlsMaterial,
} from '@millrace/security'
import { saslConfigDefinition } from './config-keys'
import { parseMechanisms, type MechanismConfig } from './mechanism-config'

export const SecurityProtocol = {
  PLAINTEXT: 'PLAINTEXT',
  SSL: 'SSL',
  SASL_PLAINTEXT: 'SASL_PLAINTEXT',
  SASL_SSL: 'SASL_SSL',
} as const
export type SecurityProtocol = (typeof SecurityProtocol)[keyof typeof SecurityProtocol]

/** What a listener asks of its clients, read and checked. */
export interface ListenerSecurity {
  readonly protocol: SecurityProtocol
  /** Null without TLS. */
  readonly tls: ListenerTls | null
  /** Null without SASL. */
  readonly sasl: ListenerSasl | null
}

export interface ListenerTls {
  readonly material: TlsMaterial
  readonly clientAuth: 'none' | 'requested' | 'required'
  readonly principalOf: PrincipalMapper
  /** Whether a certificate that takes the place of this one while the broker runs may have another name, and lack others. */
  readonly allowsDnChanges: boolean
  readonly allowsSanChanges: boolean
}

export interface ListenerSasl {
  readonly mechanisms: readonly MechanismConfig[]
  readonly maxReceiveBytes: number
}

/** The properties of a broker as one listener sees them: `listener.name.NAME.KEY` stands in for KEY. */
export interface ListenerProperties {
  readonly listenerName: string
  readonly given: Properties
  readonly properties: Properties
}

export function propertiesOfListener(given: Properties, listenerName: string): ListenerProperties {
  const prefix = prefixOf(listenerName)
  const own = Object.entries(given)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value])
  return { listenerName, given, properties: { ...given, ...Object.fromEntries(own) } }
}

/** Parses keys for one listener. What is wrong is named as it was written, with the prefix where it has one. */
export function parseForListener<const D extends ConfigDefinition>(
  definition: D,
  listener: ListenerProperties,
): { config: ConfigOf<D>; problems: ConfigProblem[] } {
  const { config, problems } = parseConfig(definition, listener.properties)
  return { config, problems: problems.map((problem) => asWritten(problem, listener)) }
}

/** Reads key stores as well, so that a listener that could not serve stops the start. */
export function parseListenerSecurity(
  listener: ListenerProperties,
  protocol: SecurityProtocol,
  readFile: ReadFile = (path) => readFileSync(path),
): { security: ListenerSecurity; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const security: ListenerSecurity = {
    protocol,
    tls: protocol.endsWith('SSL') ? parseTls(listener, readFile, problems) : null,
    sasl: protocol.startsWith('SASL') ? parseSasl(listener, problems) : null,
  }
  return { security, problems }
}

function parseTls(
  listener: ListenerProperties,
  readFile: ReadFile,
  problems: ConfigProblem[],
): ListenerTls {
  const { config, problems: unparsed } = parseForListener(tlsServerConfigDefinition, listener)
  const { material, problems: unloaded } = loadTlsMaterial(config, readFile)
  problems.push(...unparsed, ...unloaded.map((problem) => asWritten(problem, listener)))
  if (!material.key && !material.pfx && unloaded.length === 0)
    problems.push({
      key: `${prefixOf(listener.listenerName)}ssl.keystore.location`,
      given: null,
      expected: 'a key and its certificate: a listener with TLS has to show one',
    })
  if (unloaded.length === 0) problems.push(...materialProblems(config, material, listener))
  const { clientAuth, principalMappingRules } = config
  return {
    material,
    clientAuth,
    principalOf: mapperOf(principalMappingRules, listener, problems),
    allowsDnChanges: config.allowDnChanges,
    allowsSanChanges: config.allowSanChanges,
  }
}

/** Node looks into a PKCS#12 file only here: a wrong password must not come to light later. */
function materialProblems(
  { keystoreLocation }: { readonly keystoreLocation: string | null },
  { ca, ...material }: TlsMaterial,
  listener: ListenerProperties,
): ConfigProblem[] {
  try {
    createSecureContext({ ...material, ...(ca && { ca: [...ca] }) })
    return []
  } catch (error) {
    const problem = {
      key: 'ssl.keystore.location',
      given: keystoreLocation ?? '',
      expected: `a store that can be used (${errorMessage(error)})`,
    }
    return [asWritten(problem, listener)]
  }
}

function mapperOf(
  rules: string,
  listener: ListenerProperties,
  problems: ConfigProblem[],
): PrincipalMapper {
  try {
    return parsePrincipalRules(rules)
  } catch (error) {
    const problem = {
      key: 'ssl.principal.mapping.rules',
      given: rules,
      expected: errorMessage(error),
    }
    problems.push(asWritten(problem, listener))
    return () => null
  }
}

function parseSasl(listener: ListenerProperties, problems: ConfigProblem[]): ListenerSasl {
  const { config, problems: unparsed } = parseForListener(saslConfigDefinition, listener)
  problems.push(...unparsed)
  const mechanisms = parseMechanisms(listener, config.enabledMechanisms, problems)
  return { mechanisms, maxReceiveBytes: config.serverMaxReceiveBytes }
}

function asWritten(
  problem: ConfigProblem,
  { given, listenerName }: ListenerProperties,
): ConfigProblem {
  const own = prefixOf(listenerName) + problem.key
  return typeof given[own] === 'string' ? { ...problem, key: own } : problem
}

function prefixOf(listenerName: string): string {
  return `listener.name.${listenerName.toLowerCase()}.`
}

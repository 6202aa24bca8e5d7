import { readFileSync } from 'node:fs'
import { formatProblems, parseConfig, parsePropertiesFile, type Properties } from '@millrace/config'
import { nodeHttp, systemClock } from '@millrace/base'
import type { ClientOptions } from '@millrace/client'
import { ConfigurationError } from '@millrace/connect-api'
import { parseClientSecurity, type ClientSecurity } from '@millrace/security'
import { connectErrors, workerConfigDefinition, type WorkerConfig } from '@millrace/connect-runtime'

export interface WorkerSettings {
  readonly config: WorkerConfig
  /** As given: converters' options, client settings and config providers are read from here. */
  readonly properties: Properties
  /** Of the connections to the cluster. */
  readonly security: ClientSecurity
  readonly listen: { readonly host: string; readonly port: number }
}

/** Reads a Connect worker's properties file and applies overrides to it. @throws Node's error if it cannot be read */
export function readWorkerProperties(path: string, overrides: Properties = {}): Properties {
  return { ...parsePropertiesFile(readFileSync(path, 'utf8')), ...overrides }
}

/** @throws CONNECT_INVALID_WORKER_CONFIG with every problem */
export function parseWorkerSettings(properties: Properties): WorkerSettings {
  const { config, problems: unparsed } = parseConfig(workerConfigDefinition, properties)
  const { security, problems: insecure } = parseClientSecurity(securityDeps, properties)
  const problems = [...unparsed, ...insecure]
  if (problems.length > 0) {
    throw connectErrors.create('CONNECT_INVALID_WORKER_CONFIG', {
      problems: formatProblems(problems),
    })
  }
  return { config, properties, security, listen: listenAddress(config) }
}

/** What proves to a broker who the worker is. */
const LOGIN_KEY = /^(sasl\.|ssl\.key)/

/**
 * Where and how a client of a connector connects: as the worker, but for what `own` sets. Who goes elsewhere, or by another
 * protocol, does not get the worker's login: a connector could have it sent to any host. @throws ConfigurationError
 */
export function connectionOf(
  { config, properties, security }: WorkerSettings,
  own: Properties,
): Pick<ClientOptions, 'bootstrapServers' | 'security'> {
  const { bootstrapServers } = config
  if (Object.keys(own).length === 0) return { bootstrapServers, security }
  const goesElsewhere = 'bootstrap.servers' in own || 'security.protocol' in own
  const inherited = Object.entries(properties).filter(
    ([name]) => !goesElsewhere || !LOGIN_KEY.test(name),
  )
  const merged = { ...Object.fromEntries(inherited), ...own }
  const { servers, problems: unparsed } = parseBootstrap(merged)
  const { security: ownSecurity, problems: insecure } = parseClientSecurity(securityDeps, merged)
  const problems = [...unparsed, ...insecure]
  if (problems.length > 0) throw new ConfigurationError(formatProblems(problems))
  return { bootstrapServers: servers, security: ownSecurity }
}

function parseBootstrap(properties: Properties) {
  const { bootstrapServers } = workerConfigDefinition
  const { config, problems } = parseConfig({ bootstrapServers }, properties)
  return { servers: config.bootstrapServers, problems }
}

const securityDeps = {
  clock: systemClock,
  readFile: (path: string) => readFileSync(path),
  http: nodeHttp,
}

const ALL_ADDRESSES = '0.0.0.0'

function listenAddress(config: WorkerConfig): { readonly host: string; readonly port: number } {
  if (config.restPort !== null) return { host: ALL_ADDRESSES, port: config.restPort }
  const [, host, port] = /^http:\/\/(.*):(\d+)$/i.exec(config.listeners[0])!
  return { host: host === '' ? ALL_ADDRESSES : host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

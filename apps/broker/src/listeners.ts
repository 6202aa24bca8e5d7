import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { ConfigOf, ConfigProblem, Properties } from '@millrace/config'
import type { brokerConfigDefinition } from './config-keys'
import type { ListenerAddress, ServedListener } from './network/bound-listener'
import { type ListenerLimits, parseListenerLimits } from './security/connection-limits'
import {
  parseListenerSecurity,
  propertiesOfListener,
  SecurityProtocol,
} from './security/listener-security'
import type { Endpoint } from './services'

const EVERY_INTERFACE = ['', '0.0.0.0', '::']

interface Advertised {
  readonly host: string | null
  readonly port: number
}

/** A listener and what clients are told about it. */
export interface Listener extends ServedListener, ListenerLimits {
  /**
   * Null host or port 0: as bound. An empty host: the name of this machine. Null where `advertised.listeners` leaves the listener
   * out: nobody is told of it.
   */
  readonly advertised: Advertised | null
}

type ListenerConfig = Pick<
  ConfigOf<typeof brokerConfigDefinition>,
  'listeners' | 'advertisedListeners' | 'listenerSecurityProtocolMap' | 'controllerListenerNames'
>

/**
 * Reads `listeners`, `advertised.listeners` and `listener.security.protocol.map` together, and what each listener asks of its clients.
 * Reports every problem.
 */
export function parseListeners(
  config: ListenerConfig,
  given: Properties,
): {
  listeners: Listener[]
  problems: ConfigProblem[]
} {
  const problems: ConfigProblem[] = []
  const protocols = parseProtocolMap(config.listenerSecurityProtocolMap, problems)
  const notForClients = config.controllerListenerNames.map((name) => name.toUpperCase())
  const all = parseAddresses('listeners', config.listeners, problems)
  const addresses = all.filter(({ name }) => !notForClients.includes(name))
  problems.push(...sharedPorts(all))
  const advertised = parseAdvertised(config.advertisedListeners, addresses, problems).filter(
    ({ name }) => !notForClients.includes(name),
  )
  problems.push(...unknownNames(advertised, addresses))
  if (addresses.length === 0 && problems.length === 0)
    problems.push({ key: 'listeners', given: '', expected: 'at least one listener for clients' })
  const listeners = addresses.flatMap((address): Listener[] => {
    const protocol = protocolOf(address.name, protocols, problems)
    if (protocol === null) return []
    const parsed = parseListenerSecurity(propertiesOfListener(given, address.name), protocol)
    const limited = parseListenerLimits(given, address.name)
    problems.push(...parsed.problems, ...limited.problems)
    const { security } = parsed
    return [
      {
        ...address,
        security,
        ...limited.limits,
        advertised: advertised.find(({ name }) => name === address.name) ?? null,
      },
    ]
  })
  return { listeners, problems }
}

/**
 * What clients of a listener are told, by its name. An address of every interface is nobody's: there it is the name of this
 * machine, as in Kafka.
 */
export function endpointsOf(
  listeners: readonly Listener[],
  addresses: readonly ListenerAddress[],
  machineName: string,
): ReadonlyMap<string, Endpoint> {
  const endpoints = new Map<string, Endpoint>()
  for (const { name, advertised } of listeners) {
    const bound = addresses.find((address) => address.name === name)
    if (advertised === null || bound === undefined) continue
    const host = advertised.host ?? bound.host
    endpoints.set(name, {
      host: EVERY_INTERFACE.includes(host) ? machineName : host,
      port: advertised.port || bound.port,
    })
  }
  return endpoints
}

/** The name of this machine if it leads to an address, else localhost. */
export async function resolvableMachineName(): Promise<string> {
  const name = hostname()
  try {
    await lookup(name)
    return name
  } catch {
    return 'localhost' // no resolver knows this machine: then its clients are on it
  }
}

/** Without `advertised.listeners` every listener is told as it is bound. */
function parseAdvertised(
  given: readonly string[] | null,
  addresses: readonly ListenerAddress[],
  problems: ConfigProblem[],
): readonly (Advertised & { readonly name: string })[] {
  const key = 'advertised.listeners'
  if (given === null) return addresses.map(({ name }) => ({ name, host: null, port: 0 }))
  if (given.length === 0) problems.push({ key, given: '', expected: 'at least one listener' })
  return parseAddresses(key, given, problems)
}

function unknownNames(
  advertised: readonly { readonly name: string }[],
  addresses: readonly ListenerAddress[],
): ConfigProblem[] {
  const key = 'advertised.listeners'
  return advertised
    .filter(({ name }) => !addresses.some((address) => address.name === name))
    .map(({ name }) => ({ key, given: name, expected: 'names that stand in listeners' }))
}

/** Two listeners may share a port only as IPv4 and IPv6, as in Kafka. */
function sharedPorts(addresses: readonly ListenerAddress[]): ConfigProblem[] {
  return addresses
    .filter(({ host, port }, at) =>
      addresses
        .slice(0, at)
        .some((one) => port !== 0 && one.port === port && !areOfBothFamilies(one.host, host)),
    )
    .map(({ name, host, port }) => ({
      key: 'listeners',
      given: `${name}://${host}:${port}`,
      expected: 'a port of its own, or one address of IPv4 and one of IPv6',
    }))
}

function areOfBothFamilies(one: string, other: string): boolean {
  const families = [isIP(one), isIP(other)]
  return families.includes(4) && families.includes(6)
}

/** `NAME://host:port`; the host may be empty, or an IPv6 address in brackets. */
function parseAddresses(
  key: string,
  texts: readonly string[],
  problems: ConfigProblem[],
): ListenerAddress[] {
  const addresses: ListenerAddress[] = []
  for (const text of texts) {
    const match = /^([\w-]+):\/\/(?:\[([0-9a-fA-F:.%]+)\]|([^:/[\]]*)):(\d{1,5})$/.exec(text)
    const port = Number(match?.[4])
    if (!match || port > 65_535)
      problems.push({ key, given: text, expected: 'NAME://host:port with a port up to 65535' })
    else if (addresses.some(({ name }) => name === match[1].toUpperCase()))
      problems.push({ key, given: text, expected: 'each listener name once' })
    else addresses.push({ name: match[1].toUpperCase(), host: match[2] ?? match[3] ?? '', port })
  }
  return addresses
}

function parseProtocolMap(
  entries: readonly string[],
  problems: ConfigProblem[],
): ReadonlyMap<string, string> {
  const key = 'listener.security.protocol.map'
  const protocols = new Map<string, string>()
  for (const entry of entries) {
    const [name, protocol, ...rest] = entry.split(':')
    if (!name || !protocol || rest.length > 0)
      problems.push({ key, given: entry, expected: 'NAME:PROTOCOL' })
    else protocols.set(name.toUpperCase(), protocol.toUpperCase())
  }
  return protocols
}

function protocolOf(
  name: string,
  protocols: ReadonlyMap<string, string>,
  problems: ConfigProblem[],
): SecurityProtocol | null {
  const given = protocols.get(name)
  const known = Object.values(SecurityProtocol)
  const protocol = known.find((one) => one === given)
  if (protocol !== undefined) return protocol
  const key = 'listener.security.protocol.map'
  problems.push(
    given === undefined
      ? { key, given: '', expected: `a protocol for ${name}` }
      : { key, given: `${name}:${given}`, expected: `one of ${known.join(', ')}` },
  )
  return null
}

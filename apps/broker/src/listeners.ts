import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import type { ConfigOf, ConfigProblem, Properties } from '@millrace/config'
import type { brokerConfigDefinition } from './config-keys'
import type { ListenerAddress, ServedListener } from './network/listener'
import { type ListenerLimits, parseListenerLimits } from './security/connection-limits'
import {
  parseListenerSecurity,
  propertiesOfListener,
  SecurityProtocol,
} from './security/listener-security'

/** A listener and what clients are told about it. */
export interface Listener extends ServedListener, ListenerLimits {
  /** Null host or port 0: as bound. */
  readonly advertised: { readonly host: string | null; readonly port: number }
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
  const addresses = parseAddresses('listeners', config.listeners, problems).filter(
    ({ name }) => !notForClients.includes(name),
  )
  const advertised = new Map(
    parseAddresses('advertised.listeners', config.advertisedListeners ?? [], problems).map(
      (address) => [address.name, address],
    ),
  )
  for (const name of advertised.keys())
    if (!notForClients.includes(name) && !addresses.some((address) => address.name === name))
      problems.push({
        key: 'advertised.listeners',
        given: name,
        expected: 'names that stand in listeners',
      })
  if (addresses.length === 0 && problems.length === 0)
    problems.push({ key: 'listeners', given: '', expected: 'at least one listener for clients' })
  const listeners = addresses.flatMap((address): Listener[] => {
    const protocol = protocolOf(address.name, protocols, problems)
    if (protocol === null) return []
    const parsed = parseListenerSecurity(propertiesOfListener(given, address.name), protocol)
    const limited = parseListenerLimits(given, address.name)
    problems.push(...parsed.problems, ...limited.problems)
    const told = advertised.get(address.name) ?? address
    const { security } = parsed
    return [
      {
        ...address,
        security,
        ...limited.limits,
        advertised: { host: told.host || null, port: told.port },
      },
    ]
  })
  return { listeners, problems }
}

/** The host to tell clients. An address of every interface is nobody's: there it is the name of this machine, as in Kafka. */
export function advertisedHost(listener: Listener, machineName: string): string {
  const { host } = listener.advertised
  return host === null || host === '0.0.0.0' || host === '::' ? machineName : host
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

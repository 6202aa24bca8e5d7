import { isIP } from 'node:net'
import { int, parseConfig, type ConfigProblem, type Properties } from '@millrace/config'
import { hostAddress } from '@millrace/security'
import type { BrokerConfig } from '../config'
import type { ConnectionLimitOptions } from '../network/connection-limits'

/** The limits on connections that a broker's config sets. */
export function connectionLimitsOf({ values, listeners }: BrokerConfig): ConnectionLimitOptions {
  return {
    max: values.maxConnections,
    maxOfListener: new Map(listeners.map(({ name, maxConnections }) => [name, maxConnections])),
    maxPerIp: values.maxConnectionsPerIp,
    maxOfIp: parseIpOverrides(values.maxConnectionsPerIpOverrides).maxOfIp,
  }
}

/** Only what is written for the listener itself: without the prefix the key limits the whole broker. */
export function parseListenerLimit(
  given: Properties,
  listenerName: string,
): { maxConnections: number; problems: readonly ConfigProblem[] } {
  const name = `listener.name.${listenerName.toLowerCase()}.max.connections`
  const doc = 'Connections to this listener.'
  const { config, problems } = parseConfig(
    { max: int(name, { default: null, min: 1, doc }) },
    given,
  )
  return { maxConnections: config.max ?? Infinity, problems }
}

/** `HOST:COUNT`, comma separated. An IPv6 address may hold colons: the last one counts. */
export function parseIpOverrides(text: string): {
  maxOfIp: ReadonlyMap<string, number>
  problems: ConfigProblem[]
} {
  const maxOfIp = new Map<string, number>()
  const problems: ConfigProblem[] = []
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const [, host, count] = /^\[?([^[\]]+?)\]?:(\d+)$/.exec(entry) ?? []
    const address = host === 'localhost' ? '127.0.0.1' : host
    if (address !== undefined && isIP(address) !== 0)
      maxOfIp.set(hostAddress(address), Number(count))
    else
      problems.push({
        key: 'max.connections.per.ip.overrides',
        given: entry,
        expected: 'ADDRESS:COUNT with an IP address, comma separated',
      })
  }
  return { maxOfIp, problems }
}

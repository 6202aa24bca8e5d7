import { lookup } from 'node:dns/promises'
import { int, parseConfig, type ConfigProblem, type Properties } from '@millrace/config'
import { hostAddress } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'
import type { BrokerConfig } from '../config'
import type { ConnectionLimitOptions } from '../network/connection-limits'

/** The limits on connections that a broker's config sets. Host names are looked up: one that is not found has no limit of its own. */
export async function connectionLimitsOf(
  { values, listeners }: BrokerConfig,
  logger: Logger,
): Promise<ConnectionLimitOptions> {
  const maxOfIp = new Map<string, number>()
  for (const { host, max } of parseIpOverrides(values.maxConnectionsPerIpOverrides).overrides) {
    try {
      const addresses = await lookup(host, { all: true })
      for (const { address } of addresses) maxOfIp.set(hostAddress(address), max)
    } catch (error) {
      logger.warn('max.connections.per.ip.overrides names a host that is not known', {
        host,
        error,
      })
    }
  }
  return {
    max: values.maxConnections,
    maxOfListener: new Map(listeners.map(({ name, maxConnections }) => [name, maxConnections])),
    maxPerIp: values.maxConnectionsPerIp,
    maxOfIp,
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
  overrides: readonly { readonly host: string; readonly max: number }[]
  problems: ConfigProblem[]
} {
  const overrides: { host: string; max: number }[] = []
  const problems: ConfigProblem[] = []
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const [, host, max] = /^\[?([^[\]\s]+?)\]?:(\d+)$/.exec(entry) ?? []
    if (host !== undefined) overrides.push({ host, max: Number(max) })
    else
      problems.push({
        key: 'max.connections.per.ip.overrides',
        given: entry,
        expected: 'HOST:COUNT, comma separated',
      })
  }
  return { overrides, problems }
}

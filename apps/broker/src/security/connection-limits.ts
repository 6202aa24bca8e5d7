import { lookup } from 'node:dns/promises'
import { int, parseConfig, type ConfigProblem, type Properties } from '@millrace/config'
import type { AcceptLimits } from '@millrace/quota'
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

export function acceptLimitsOf({ values, listeners }: BrokerConfig): AcceptLimits {
  return {
    perSecond: values.maxConnectionCreationRate,
    perSecondOfListener: new Map(
      listeners.map(({ name, maxConnectionCreationRate }) => [name, maxConnectionCreationRate]),
    ),
  }
}

/** Of one listener; Infinity without a limit of its own. */
export interface ListenerLimits {
  readonly maxConnections: number
  /** Per second. */
  readonly maxConnectionCreationRate: number
}

/** Only what is written for the listener itself: without the prefix the keys limit the whole broker. */
export function parseListenerLimits(
  given: Properties,
  listenerName: string,
): { limits: ListenerLimits; problems: readonly ConfigProblem[] } {
  const prefix = `listener.name.${listenerName.toLowerCase()}.`
  const definition = {
    max: int(`${prefix}max.connections`, {
      default: null,
      min: 1,
      doc: 'Connections to this listener.',
    }),
    rate: int(`${prefix}max.connection.creation.rate`, {
      default: null,
      min: 0,
      doc: 'New connections to this listener per second.',
    }),
  }
  const { config, problems } = parseConfig(definition, given)
  const limits = {
    maxConnections: config.max ?? Infinity,
    maxConnectionCreationRate: config.rate ?? Infinity,
  }
  return { limits, problems }
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

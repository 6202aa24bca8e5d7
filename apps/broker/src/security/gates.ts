import type { Properties } from '@millrace/config'
import type { Dispatcher } from '../network/dispatcher'
import { Gate } from '../network/gate'
import type { ServedListener } from '../network/bound-listener'
import type { BrokerServices } from '../services'
import { createMechanism } from './mechanisms'

/** Makes the gates of listeners: with SASL one each, else none. */
export function createGates(
  services: BrokerServices,
  dispatcher: Dispatcher,
): (listener: ServedListener) => Gate | null {
  const { clock, logger, dynamicConfig } = services
  const deps = {
    clock,
    logger,
    metadata: () => services.metadata(),
    tokenSecret: () => dynamicConfig.current.values.delegationTokenSecretKey?.reveal() || null,
  }
  const made = new Map<string, { readonly properties: string; readonly gate: Gate }>()
  return ({ name, security: { sasl } }) => {
    if (sasl === null) return null
    const properties = loginProperties(dynamicConfig.current.given)
    const before = made.get(name)
    if (before?.properties === properties) return before.gate // it may hold the keys of a token issuer
    const offered = sasl.mechanisms.map((config) => ({
      mechanism: createMechanism(config, deps),
      maxReauthMs: config.maxReauthMs,
    }))
    const { maxReceiveBytes } = sasl
    const { failedAuthenticationDelayMs } = dynamicConfig.current.values
    const gate = new Gate(
      { dispatcher, clock },
      { offered, maxReceiveBytes, failureDelayMs: failedAuthenticationDelayMs },
    )
    made.set(name, { properties, gate })
    return gate
  }
}

/** Everything that a gate is made of, as one text to compare. */
function loginProperties(given: Properties): string {
  const isOfLogins = /^(?:listener\.name\.|sasl\.|connections?\.)/
  return JSON.stringify(Object.entries(given).filter(([key]) => isOfLogins.test(key)))
}

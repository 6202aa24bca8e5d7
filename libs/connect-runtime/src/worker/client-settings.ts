import type { Properties } from '@millrace/config'
import { withPrefix } from '../config/connector-config'

export type ClientRole = 'producer' | 'consumer' | 'admin'

/** What a client of a connector has for itself: the worker's `producer.*`, and over it the connector's `producer.override.*`. */
export interface ClientSettings {
  /** Where and how it connects and logs in, on top of what the worker's own clients do: empty for the same. */
  readonly connection: Properties
  /** The rest, which is for the kind of client. */
  readonly behaviour: Properties
}

const CONNECTION_KEY = /^(bootstrap\.servers$|security\.|ssl\.|sasl\.)/

export function clientSettings(
  role: ClientRole,
  worker: Properties,
  connector: Properties,
): ClientSettings {
  const all = Object.entries({
    ...withPrefix(worker, `${role}.`),
    ...withPrefix(connector, `${role}.override.`),
  })
  return {
    connection: Object.fromEntries(all.filter(([name]) => CONNECTION_KEY.test(name))),
    behaviour: Object.fromEntries(all.filter(([name]) => !CONNECTION_KEY.test(name))),
  }
}

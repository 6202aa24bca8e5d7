/** The client's message of RFC 7628: a header of GS2, then `key=value` pairs, each ended by a byte 1. */

const SEPARATOR = '\u0001'
const CLIENT_RESPONSE =
  // oxlint-disable-next-line no-control-regex -- the protocol separates with it
  /^n,(?:a=(?<authorizationId>(?:[^\0=,\x80-\uffff]|=2C|=3D)+))?,\x01(?<pairs>(?:[A-Za-z]+=[\x21-\x7e \t\r\n]+\x01)*)\x01$/
const AUTH = /^(?<scheme>\w+) +(?<token>[-_~+/.a-zA-Z0-9]+=*)$/

export interface ClientResponse {
  /** Empty if none is asked for. */
  readonly authorizationId: string
  readonly token: string
}

/** Null if it is none. */
export function parseClientResponse(text: string): ClientResponse | null {
  const groups = CLIENT_RESPONSE.exec(text)?.groups
  if (!groups) return null
  const auth = groups.pairs.split(SEPARATOR).find((pair) => pair.startsWith('auth='))
  const credentials = AUTH.exec(auth?.slice('auth='.length) ?? '')?.groups
  if (!credentials || credentials.scheme.toLowerCase() !== 'bearer') return null
  return { authorizationId: groups.authorizationId ?? '', token: credentials.token }
}

export function formatClientResponse(
  token: string,
  extensions: ReadonlyMap<string, string>,
): string {
  const pairs = [
    `auth=Bearer ${token}`,
    ...[...extensions].map(([name, value]) => `${name}=${value}`),
  ]
  return `n,,${SEPARATOR}${pairs.map((pair) => pair + SEPARATOR).join('')}${SEPARATOR}`
}

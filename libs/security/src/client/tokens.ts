import type { Clock, Http } from '@millrace/base'

/** Share of a token's life after which another one is fetched. */
const REFRESH_AT = 0.8
const UNSECURED_LIFETIME_SECONDS = 3600
const CLAIM_OPTION = 'unsecuredLoginStringClaim_'

export interface TokenEndpoint {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | null
}

/** Tokens by the client credentials grant of RFC 6749; one is used for most of its life. */
export function endpointTokens(
  deps: { readonly clock: Clock; readonly http: Http },
  endpoint: TokenEndpoint,
): () => Promise<string> {
  const { clientId, clientSecret, scope, url } = endpoint
  const credentials = [clientId, clientSecret].map(encodeURIComponent).join(':')
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
  const form = { grant_type: 'client_credentials', ...(scope !== null && { scope }) }
  let known = { token: '', refreshAtMs: -Infinity }
  return async () => {
    const nowMs = deps.clock.monotonicMs()
    if (nowMs < known.refreshAtMs) return known.token
    const { token, lifetimeSeconds } = readAnswer(
      await deps.http.postForm(url, { authorization, form }),
    )
    known = { token, refreshAtMs: nowMs + lifetimeSeconds * 1000 * REFRESH_AT }
    return token
  }
}

function readAnswer(answer: unknown): { token: string; lifetimeSeconds: number } {
  const { access_token: token, expires_in: lifetime } = (answer ?? {}) as Record<string, unknown>
  if (typeof token !== 'string' || token === '')
    throw new Error('the token endpoint answered without an access_token')
  return { token, lifetimeSeconds: typeof lifetime === 'number' ? lifetime : 0 }
}

/** Tokens without a signature, from the options of the login module, for brokers that believe them. */
export function unsecuredTokens(
  clock: Clock,
  options: ReadonlyMap<string, string>,
): () => Promise<string> {
  const claims = [...options]
    .filter(([name]) => name.startsWith(CLAIM_OPTION))
    .map(([name, value]) => [name.slice(CLAIM_OPTION.length), value])
  return async () => {
    const issuedAt = Math.floor(clock.now() / 1000)
    const times = { iat: issuedAt, exp: issuedAt + UNSECURED_LIFETIME_SECONDS }
    const parts = [{ alg: 'none' }, { ...Object.fromEntries(claims), ...times }]
    const encoded = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    return `${encoded.join('.')}.`
  }
}

import { type Clock, errorMessage } from '@millrace/base'
import type { OAuthLogin, OAuthRefusal, TokenValidator } from './server'

export interface UnsecuredOptions {
  readonly principalClaimName: string
  readonly scopeClaimName: string
  readonly requiredScope: readonly string[]
  readonly clockSkewMs: number
}

/** From the options of the login module, as Kafka names them. @throws Error that says what was expected */
export function parseUnsecuredOptions(options: ReadonlyMap<string, string>): UnsecuredOptions {
  const text = (name: string) => (options.get(`unsecuredValidator${name}`) ?? '').trim()
  const skew = text('AllowableClockSkewMs')
  if (!/^\d*$/.test(skew))
    throw new Error('unsecuredValidatorAllowableClockSkewMs with a whole number of at least 0')
  return {
    principalClaimName: text('PrincipalClaimName') || 'sub',
    scopeClaimName: text('ScopeClaimName') || 'scope',
    requiredScope: text('RequiredScope').split(/\s+/).filter(Boolean),
    clockSkewMs: Number(skew),
  }
}

/** Believes tokens without a signature, as Kafka does where no key set is configured: for development, never for production. */
export function unsecuredValidator(clock: Clock, options: UnsecuredOptions): TokenValidator {
  return {
    async validate(token) {
      try {
        return validate(token, clock.now(), options)
      } catch (error) {
        return { status: 'invalid_token', scope: null, reason: errorMessage(error) }
      }
    },
  }
}

function validate(
  token: string,
  nowMs: number,
  options: UnsecuredOptions,
): OAuthLogin | OAuthRefusal {
  const parts = token.split('.')
  if (parts.length !== 3) throw new Error('a token has three parts')
  const [header, claims] = parts.slice(0, 2).map(readPart)
  if (header.alg !== 'none' || parts[2] !== '') throw new Error('the token is not an unsecured one')
  const { [options.principalClaimName]: userName, exp, iat } = claims
  if (typeof userName !== 'string' || userName.trim() === '')
    throw new Error(`claim ${options.principalClaimName} holds no name`)
  if (typeof exp !== 'number') throw new Error('claim exp is not a number')
  if (iat !== undefined && typeof iat !== 'number') throw new Error('claim iat is not a number')
  if (iat !== undefined && iat * 1000 > nowMs + options.clockSkewMs)
    throw new Error('the token was issued in the future')
  if (nowMs - options.clockSkewMs >= exp * 1000) throw new Error('the token has expired')
  if (iat !== undefined && exp <= iat) throw new Error('the token expires before it was issued')
  const missing = missingScope(claims[options.scopeClaimName], options.requiredScope)
  if (missing !== null)
    return {
      status: 'insufficient_scope',
      scope: `[${options.requiredScope.join(', ')}]`,
      reason: `the token has no scope ${missing}`,
    }
  return { userName, expiresAtMs: Math.round(exp * 1000) }
}

function readPart(part: string): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  if (typeof value !== 'object' || value === null)
    throw new Error('a part of the token is no object')
  return value as Record<string, unknown>
}

/** A text is one scope, as Kafka takes it. */
function missingScope(claim: unknown, required: readonly string[]): string | null {
  const scopes = (Array.isArray(claim) ? claim : [claim]).map((scope) => String(scope).trim())
  return required.find((scope) => !scopes.includes(scope)) ?? null
}

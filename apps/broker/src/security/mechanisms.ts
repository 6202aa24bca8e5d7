import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { errorMessage, nodeHttp, type Clock } from '@millrace/base'
import { recordKinds, type MetadataImage } from '@millrace/controller'
import {
  fromStored,
  hasExpired,
  JwksValidator,
  oauthMechanism,
  plainMechanism,
  scramMechanism,
  scramRecordKey,
  tokenCredential,
  unsecuredValidator,
  type LoadJwks,
  type SaslMechanism,
  type ScramCredentials,
  type ScramHash,
  type TokenValidator,
} from '@millrace/security'
import type { Logger } from '@millrace/telemetry'
import type { MechanismConfig, OAuthTokens } from './mechanism-config'

export interface MechanismDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly metadata: () => MetadataImage
  /** Of delegation tokens; null where there are none. */
  readonly tokenSecret: () => string | null
}

/** Brings a configured mechanism to life. */
export function createMechanism(config: MechanismConfig, deps: MechanismDeps): SaslMechanism {
  switch (config.name) {
    case 'PLAIN':
      return plainMechanism(config.passwords)
    case 'OAUTHBEARER':
      return oauthMechanism(createValidator(config.tokens, deps), (reason) =>
        deps.logger.warn('token refused', { reason }),
      )
    default:
      return scramMechanism(config.hash, credentialsOf(config.hash, deps))
  }
}

function credentialsOf(hash: ScramHash, deps: MechanismDeps): ScramCredentials {
  const { clock, metadata, tokenSecret } = deps
  return {
    ofUser(name) {
      const stored = metadata().records(recordKinds.scram).get(scramRecordKey(hash.type, name))
      return stored ? fromStored(stored) : null
    },
    ofToken(tokenId) {
      const secret = tokenSecret()
      const token = metadata().records(recordKinds.tokens).get(tokenId)
      if (secret === null || !token || hasExpired(token, clock.now())) return null
      const credential = tokenCredential(hash, secret, tokenId)
      return { credential, ownerName: token.owner.name, expiresAtMs: token.expiresAtMs }
    },
  }
}

function createValidator(tokens: OAuthTokens, { clock, logger }: MechanismDeps): TokenValidator {
  if (!tokens.isSigned) {
    logger.warn('OAUTHBEARER believes tokens without a signature: not for production', {
      todo: 'set sasl.oauthbearer.jwks.endpoint.url',
    })
    return unsecuredValidator(clock, tokens.options)
  }
  const { config } = tokens
  const load = jwksLoader(config.jwksEndpointUrl!)
  return new JwksValidator({ clock, load }, config)
}

function jwksLoader(url: string): LoadJwks {
  return async () => {
    try {
      if (url.toLowerCase().startsWith('file:'))
        return JSON.parse(await readFile(fileURLToPath(url), 'utf8')) as Awaited<
          ReturnType<LoadJwks>
        >
      return (await nodeHttp.getJson(url)) as Awaited<ReturnType<LoadJwks>>
    } catch (cause) {
      throw new Error(`the keys at ${url} cannot be had: ${errorMessage(cause)}`, { cause })
    }
  }
}

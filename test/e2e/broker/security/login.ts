import {
  clientProof,
  saltedPassword,
  scramHashes,
} from '../../../../libs/security/src/scram/credential'
import { ApiKey, ErrorCode } from '@millrace/wire'
import type { RawClient } from '../harness'

export const PLAIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule required'

export async function plainLogin(client: RawClient, name: string, secret: string) {
  await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
  const authBytes = Buffer.from(`\0${name}\0${secret}`)
  return client.ask(ApiKey.SaslAuthenticate, 2, { authBytes })
}

/** The last answer of a login by SCRAM-SHA-256. */
export async function scramLogin(
  client: RawClient,
  user: { name: string; secret: string; extensions?: string },
) {
  const [hash] = scramHashes
  await client.ask(ApiKey.SaslHandshake, 1, { mechanism: hash.name })
  const bare = `n=${user.name},r=abc${user.extensions ?? ''}`
  const first = await client.ask(ApiKey.SaslAuthenticate, 2, {
    authBytes: Buffer.from(`n,,${bare}`),
  })
  if (first.errorCode !== ErrorCode.NONE) return first
  const serverFirst = first.authBytes.toString()
  const [, nonce, salt, iterations] = /^r=(.*),s=(.*),i=(\d+)$/.exec(serverFirst)!
  const options = { salt: Buffer.from(salt, 'base64'), iterations: Number(iterations) }
  const withoutProof = `c=biws,r=${nonce}`
  const salted = saltedPassword(hash, user.secret, options)
  const proof = clientProof(hash, salted, `${bare},${serverFirst},${withoutProof}`)
  const authBytes = Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  return client.ask(ApiKey.SaslAuthenticate, 2, { authBytes })
}

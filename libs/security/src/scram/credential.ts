import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'

export interface ScramHash {
  /** Name of the SASL mechanism. */
  readonly name: 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  /** Kafka's number of it in requests. */
  readonly type: number
  /** As node:crypto names it. */
  readonly digest: 'sha256' | 'sha512'
  readonly digestBytes: number
}

/** Fewer make a stolen credential easy to try out; more would let a login stall the broker and the client. */
export const SCRAM_ITERATIONS_MIN = 4096
export const SCRAM_ITERATIONS_MAX = 16_384

export const scramHashes: readonly ScramHash[] = [
  { name: 'SCRAM-SHA-256', type: 1, digest: 'sha256', digestBytes: 32 },
  { name: 'SCRAM-SHA-512', type: 2, digest: 'sha512', digestBytes: 64 },
]

/** What a broker keeps of a user (RFC 5802): enough to check a password, not enough to log in with. */
export interface ScramCredential {
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
  readonly iterations: number
}

/** RFC 5802's Hi. Takes some milliseconds of the event loop, more with more iterations. */
export function saltedPassword(
  hash: ScramHash,
  password: string,
  options: { salt: Buffer; iterations: number },
): Buffer {
  const { salt, iterations } = options
  return pbkdf2Sync(password, salt, iterations, hash.digestBytes, hash.digest)
}

export function credentialOf(
  hash: ScramHash,
  salted: Buffer,
  options: { salt: Buffer; iterations: number },
): ScramCredential {
  return {
    ...options,
    storedKey: digest(hash, hmac(hash, salted, 'Client Key')),
    serverKey: hmac(hash, salted, 'Server Key'),
  }
}

/** Whether the proof could only be made with the password. */
export function isProofRight(
  hash: ScramHash,
  credential: ScramCredential,
  message: { auth: string; proof: Buffer },
): boolean {
  const { storedKey } = credential
  if (message.proof.length !== hash.digestBytes || storedKey.length !== hash.digestBytes)
    return false
  const clientKey = xor(message.proof, hmac(hash, storedKey, message.auth))
  return timingSafeEqual(digest(hash, clientKey), storedKey)
}

/** What a client sends to prove that it has the password. */
export function clientProof(hash: ScramHash, salted: Buffer, auth: string): Buffer {
  const clientKey = hmac(hash, salted, 'Client Key')
  return xor(clientKey, hmac(hash, digest(hash, clientKey), auth))
}

/** What a server sends to prove that it has the credential. */
export function serverSignature(hash: ScramHash, serverKey: Buffer, auth: string): Buffer {
  return hmac(hash, serverKey, auth)
}

export function serverKeyOf(hash: ScramHash, salted: Buffer): Buffer {
  return hmac(hash, salted, 'Server Key')
}

function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return createHmac(hash.digest, key).update(text).digest()
}

function digest(hash: ScramHash, bytes: Buffer): Buffer {
  return createHash(hash.digest).update(bytes).digest()
}

function xor(a: Buffer, b: Buffer): Buffer {
  const result = Buffer.alloc(a.length)
  for (let at = 0; at < a.length; at++) result[at] = a[at] ^ b[at]
  return result
}

import type { ScramCredential } from './credential'

/** A credential as the cluster keeps it, in JSON: bytes are base64. Never the password, nor what stands in for it (SEC-5). */
export interface StoredScramCredential {
  readonly salt: string
  readonly storedKey: string
  readonly serverKey: string
  readonly iterations: number
}

/** Key of a user's credential among the records: Kafka's number of the mechanism first, for names may hold any sign. */
export function scramRecordKey(mechanismType: number, userName: string): string {
  return `${mechanismType}/${userName}`
}

export function parseScramRecordKey(key: string): { mechanismType: number; userName: string } {
  const slash = key.indexOf('/')
  return { mechanismType: Number(key.slice(0, slash)), userName: key.slice(slash + 1) }
}

export function toStored(credential: ScramCredential): StoredScramCredential {
  const { salt, storedKey, serverKey, iterations } = credential
  return {
    salt: salt.toString('base64'),
    storedKey: storedKey.toString('base64'),
    serverKey: serverKey.toString('base64'),
    iterations,
  }
}

export function fromStored(stored: StoredScramCredential): ScramCredential {
  return {
    salt: Buffer.from(stored.salt, 'base64'),
    storedKey: Buffer.from(stored.storedKey, 'base64'),
    serverKey: Buffer.from(stored.serverKey, 'base64'),
    iterations: stored.iterations,
  }
}

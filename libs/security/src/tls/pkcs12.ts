/**
 * The certificates of a PKCS#12 file (RFC 7292) without a private key, as keytool writes trust stores. Node reads such files only
 * where there is a key in them. What newer keytools (PBES2 with AES) and older ones (SHA1 with triple DES) write is understood.
 */
import { createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto'
import { childrenOf, DerTag, type DerNode, encodeDer, readDer, readObjectId } from './der'

const Oid = {
  DATA: '1.2.840.113549.1.7.1',
  ENCRYPTED_DATA: '1.2.840.113549.1.7.6',
  CERT_BAG: '1.2.840.113549.1.12.10.1.3',
  X509_CERTIFICATE: '1.2.840.113549.1.9.22.1',
  PBES2: '1.2.840.113549.1.5.13',
  PBE_SHA1_TRIPLE_DES: '1.2.840.113549.1.12.1.3',
} as const

const CIPHERS: Readonly<Record<string, { name: string; keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
}
const DIGESTS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
/** A file that asks for more is meant to stall us. */
const ITERATIONS_MAX = 1_000_000
const SHA1_BYTES = 20
const SHA1_BLOCK_BYTES = 64

/** As PEM. @throws Error that says why it cannot be read; a wrong password is one reason */
export function certificatesOfPkcs12(file: Buffer, password: string): string[] {
  const [, authSafe] = childrenOf(readDer(file)[0])
  const found: string[] = []
  for (const info of childrenOf(readDer(dataOf(authSafe))[0])) {
    for (const bag of childrenOf(readDer(safeContents(info, password))[0])) {
      const certificate = certificateOf(bag)
      if (certificate !== null) found.push(toPem(certificate))
    }
  }
  return found
}

/** The octets of a ContentInfo of type data. */
function dataOf(info: DerNode): Buffer {
  const [type, content] = childrenOf(info)
  if (readObjectId(type) !== Oid.DATA) throw new Error('its content is signed, or of another kind')
  const [octets] = childrenOf(content, DerTag.CONTEXT_0)
  return octets.content
}

function safeContents(info: DerNode, password: string): Buffer {
  const [type, content] = childrenOf(info)
  if (readObjectId(type) !== Oid.ENCRYPTED_DATA) return dataOf(info)
  const [encryptedData] = childrenOf(content, DerTag.CONTEXT_0)
  const [, encryptedInfo] = childrenOf(encryptedData)
  const [, algorithm, encrypted] = childrenOf(encryptedInfo)
  return decrypt(algorithm, encrypted.content, password)
}

function certificateOf(bag: DerNode): Buffer | null {
  const [type, value] = childrenOf(bag)
  if (readObjectId(type) !== Oid.CERT_BAG) return null
  const [certBag] = childrenOf(value, DerTag.CONTEXT_0)
  const [certType, certValue] = childrenOf(certBag)
  if (readObjectId(certType) !== Oid.X509_CERTIFICATE) return null
  const [octets] = childrenOf(certValue, DerTag.CONTEXT_0)
  return octets.content
}

function decrypt(algorithm: DerNode, encrypted: Buffer, password: string): Buffer {
  const [type, parameters] = childrenOf(algorithm)
  const oid = readObjectId(type)
  if (oid === Oid.PBES2) return decryptPbes2(parameters, encrypted, password)
  if (oid === Oid.PBE_SHA1_TRIPLE_DES) {
    const [salt, iterations] = childrenOf(parameters)
    const derive = (id: number, bytes: number) =>
      pkcs12Key(password, { salt: salt.content, iterations: iterationsOf(iterations), id, bytes })
    return decipher('des-ede3-cbc', { key: derive(1, 24), iv: derive(2, 8) }, encrypted)
  }
  throw new Error(`its encryption (${oid}) is not known`)
}

function decryptPbes2(parameters: DerNode, encrypted: Buffer, password: string): Buffer {
  const [derivation, scheme] = childrenOf(parameters)
  const [salt, iterations, ...rest] = childrenOf(childrenOf(derivation)[1])
  const pseudoRandom = rest.find(({ tag }) => tag === DerTag.SEQUENCE)
  const digest = pseudoRandom ? DIGESTS[readObjectId(childrenOf(pseudoRandom)[0])] : 'sha1'
  const [cipherType, iv] = childrenOf(scheme)
  const { [readObjectId(cipherType)]: cipher } = CIPHERS
  if (!cipher || !digest) throw new Error('its encryption is not known')
  const count = iterationsOf(iterations)
  const key = pbkdf2Sync(password, salt.content, count, cipher.keyBytes, digest)
  return decipher(cipher.name, { key, iv: iv.content }, encrypted)
}

function decipher(name: string, { key, iv }: { key: Buffer; iv: Buffer }, bytes: Buffer): Buffer {
  try {
    const decryption = createDecipheriv(name, key, iv)
    return Buffer.concat([decryption.update(bytes), decryption.final()])
  } catch (cause) {
    throw new Error('its password is wrong', { cause })
  }
}

function iterationsOf(node: DerNode): number {
  const count = node.content.length <= 5 ? Number(`0x${node.content.toString('hex') || '0'}`) : 0
  if (node.tag !== DerTag.INTEGER || count < 1 || count > ITERATIONS_MAX)
    throw new Error('its number of iterations is out of range')
  return count
}

/** Appendix B.2 of RFC 7292, with SHA-1. `id` is 1 for a key and 2 for an initial vector. */
function pkcs12Key(
  password: string,
  { salt, iterations, id, bytes }: { salt: Buffer; iterations: number; id: number; bytes: number },
): Buffer {
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16()
  const diversifier = Buffer.alloc(SHA1_BLOCK_BYTES, id)
  const input = Buffer.concat([repeatToBlocks(salt), repeatToBlocks(text)])
  const result: Buffer[] = []
  for (let have = 0; have < bytes; have += SHA1_BYTES) {
    let hash = sha1(Buffer.concat([diversifier, input]))
    for (let round = 1; round < iterations; round++) hash = sha1(hash)
    result.push(hash)
    addToBlocks(input, hash)
  }
  return Buffer.concat(result).subarray(0, bytes)
}

function repeatToBlocks(bytes: Buffer): Buffer {
  const size = Math.ceil(bytes.length / SHA1_BLOCK_BYTES) * SHA1_BLOCK_BYTES
  return Buffer.alloc(size, bytes)
}

/** Adds the hash, repeated to a block, and 1 to each block of `input`, as numbers. */
function addToBlocks(input: Buffer, hash: Buffer): void {
  const addend = Buffer.alloc(SHA1_BLOCK_BYTES, hash)
  for (let block = 0; block < input.length; block += SHA1_BLOCK_BYTES) {
    let carry = 1
    for (let at = SHA1_BLOCK_BYTES - 1; at >= 0; at--) {
      const sum = input[block + at] + addend[at] + carry
      input[block + at] = sum & 0xff
      carry = sum >> 8
    }
  }
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest()
}

function toPem(certificate: Buffer): string {
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

/** Whether a file is DER at all: PEM and JKS files begin otherwise. */
export function isDer(file: Buffer): boolean {
  return file.length > 2 && file[0] === DerTag.SEQUENCE && encodeDer(readDer(file)[0]).length > 0
}

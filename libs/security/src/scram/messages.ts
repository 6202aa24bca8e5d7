/** The texts of RFC 5802, without channel binding, as Kafka's clients and brokers exchange them. */

const VALUE = '[^\\0,\\x80-\\uffff]+'
const SASL_NAME = '(?:[^\\0=,\\x80-\\uffff]|=2C|=3D)+'
const PRINTABLE = '[\\x21-\\x2b\\x2d-\\x7e]+'
const BASE64 = '(?:[a-zA-Z0-9/+]{4})*(?:[a-zA-Z0-9/+]{3}=|[a-zA-Z0-9/+]{2}==)?'
const RESERVED = `(?:m=${VALUE},)?`
const EXTENSIONS = `(?:,[A-Za-z]+=${VALUE})*`

const CLIENT_FIRST = new RegExp(
  `^n,(?:a=(?<authorizationId>${SASL_NAME}))?,(?<bare>${RESERVED}n=(?<name>${SASL_NAME}),r=(?<nonce>${PRINTABLE})(?<extensions>${EXTENSIONS}))$`,
)
const SERVER_FIRST = new RegExp(
  `^${RESERVED}r=(?<nonce>${PRINTABLE}),s=(?<salt>${BASE64}),i=(?<iterations>[0-9]+)${EXTENSIONS}$`,
)
const CLIENT_FINAL = new RegExp(
  `^(?<withoutProof>c=(?<channel>${BASE64}),r=(?<nonce>${PRINTABLE})${EXTENSIONS}),p=(?<proof>${BASE64})$`,
)
const SERVER_FINAL = new RegExp(`^(?:e=(?<error>${VALUE})|v=(?<signature>${BASE64}))${EXTENSIONS}$`)

export interface ClientFirst {
  readonly authorizationId: string
  readonly userName: string
  readonly nonce: string
  /** Whether the user name is the id of a delegation token. */
  readonly isToken: boolean
  /** The part that is signed. */
  readonly bare: string
}

/** Null if it is none. */
export function parseClientFirst(text: string): ClientFirst | null {
  const groups = CLIENT_FIRST.exec(text)?.groups
  if (!groups) return null
  return {
    authorizationId: groups.authorizationId ? fromSaslName(groups.authorizationId) : '',
    userName: fromSaslName(groups.name),
    nonce: groups.nonce,
    isToken: groups.extensions.split(',').some((part) => /^tokenauth=true$/i.test(part)),
    bare: groups.bare,
  }
}

export function parseServerFirst(
  text: string,
): { nonce: string; salt: Buffer; iterations: number } | null {
  const groups = SERVER_FIRST.exec(text)?.groups
  if (!groups) return null
  const { nonce, salt, iterations } = groups
  return { nonce, salt: Buffer.from(salt, 'base64'), iterations: Number(iterations) }
}

export interface ClientFinal {
  /** The part that is signed. */
  readonly withoutProof: string
  readonly nonce: string
  readonly proof: Buffer
}

export function parseClientFinal(text: string): ClientFinal | null {
  const groups = CLIENT_FINAL.exec(text)?.groups
  if (!groups) return null
  const { withoutProof, nonce, proof } = groups
  return { withoutProof, nonce, proof: Buffer.from(proof, 'base64') }
}

export function parseServerFinal(text: string): { error: string | null; signature: Buffer } | null {
  const groups = SERVER_FINAL.exec(text)?.groups
  if (!groups) return null
  return {
    error: groups.error ?? null,
    signature: Buffer.from(groups.signature ?? '', 'base64'),
  }
}

export function toSaslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

function fromSaslName(name: string): string {
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

import { childrenOf, DerTag, type DerNode, encodeDer, readDer, readObjectId } from './der'

/** The attribute types that RFC 2253 names. Java writes all others as numbers, and Kafka's ACLs hold what Java writes. */
const KEYWORDS: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
}

/**
 * The subject of a certificate in the text form of RFC 2253, sign for sign as Java's X500Principal gives it: `CN=a,OU=b,O=c`.
 * @throws Error if the certificate cannot be read
 */
export function subjectOf(certificate: Buffer): string {
  const [tbsCertificate] = childrenOf(readDer(certificate)[0])
  const fields = childrenOf(tbsCertificate)
  // The version is optional; then serial number, signature, issuer, validity, subject.
  const first = fields[0]?.tag === DerTag.CONTEXT_0 ? 1 : 0
  const names = childrenOf(fields[first + 4])
  return names.reverse().map(formatRelativeName).join(',')
}

function formatRelativeName(node: DerNode): string {
  return childrenOf(node, DerTag.SET).map(formatAttribute).join('+')
}

function formatAttribute(node: DerNode): string {
  const [typeNode, value] = childrenOf(node)
  const type = readObjectId(typeNode)
  const { [type]: keyword } = KEYWORDS
  const text = keyword === undefined ? null : readText(value)
  return text === null
    ? `${keyword ?? type}=#${encodeDer(value).toString('hex')}`
    : `${keyword}=${escapeValue(text)}`
}

/** Null for a type that is no text. */
function readText({ tag, content }: DerNode): string | null {
  switch (tag) {
    case DerTag.UTF8_STRING:
      return content.toString('utf8')
    case DerTag.PRINTABLE_STRING:
    case DerTag.IA5_STRING:
    case DerTag.T61_STRING:
      return content.toString('latin1')
    case DerTag.BMP_STRING:
      return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : null
    default:
      return null
  }
}

function escapeValue(text: string): string {
  return text
    .replace(/[,=+<>#;"\\]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^ +| +$/g, (spaces) => '\\ '.repeat(spaces.length))
}

/** Just enough of DER (X.690) to read names of certificates and PKCS#12 files. Every length is checked. */

export interface DerNode {
  readonly tag: number
  readonly content: Buffer
}

export const DerTag = {
  INTEGER: 0x02,
  OCTET_STRING: 0x04,
  OBJECT_ID: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  T61_STRING: 0x14,
  IA5_STRING: 0x16,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
  CONTEXT_0: 0xa0,
} as const

/** The values that stand one after the other in `bytes`. @throws Error if they are cut short */
export function readDer(bytes: Buffer): DerNode[] {
  const nodes: DerNode[] = []
  for (let at = 0; at < bytes.length; ) {
    const { tag, start, end } = readHeader(bytes, at)
    nodes.push({ tag, content: bytes.subarray(start, end) })
    at = end
  }
  return nodes
}

/** The children of a value that must have this tag. @throws Error */
export function childrenOf(node: DerNode | undefined, tag: number = DerTag.SEQUENCE): DerNode[] {
  if (node?.tag !== tag) throw new Error(`DER: tag ${tag} expected, ${node?.tag ?? 'none'} found`)
  return readDer(node.content)
}

/** `1.2.840.113549` */
export function readObjectId(node: DerNode | undefined): string {
  if (node?.tag !== DerTag.OBJECT_ID || node.content.length === 0)
    throw new Error('DER: object identifier expected')
  const parts: number[] = []
  let value = 0
  for (const byte of node.content) {
    value = value * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    parts.push(value)
    value = 0
  }
  const [first, ...rest] = parts
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

/** The value with its header, as it stood in the file. */
export function encodeDer({ tag, content }: DerNode): Buffer {
  const { length } = content
  const sizes: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) sizes.unshift(left % 256)
  const header = length < 128 ? [tag, length] : [tag, 0x80 | sizes.length, ...sizes]
  return Buffer.concat([Buffer.from(header), content])
}

function readHeader(bytes: Buffer, at: number): { tag: number; start: number; end: number } {
  const tag = bytes[at]
  const first = bytes[at + 1]
  let length = first
  let start = at + 2
  if (first & 0x80) {
    const sizeBytes = first & 0x7f
    if (sizeBytes === 0 || sizeBytes > 4 || start + sizeBytes > bytes.length)
      throw new Error('DER: a length that cannot be read')
    length = bytes.readUIntBE(start, sizeBytes)
    start += sizeBytes
  }
  const end = start + length
  if (Number.isNaN(end) || end > bytes.length) throw new Error('DER: a value that is cut short')
  return { tag, start, end }
}

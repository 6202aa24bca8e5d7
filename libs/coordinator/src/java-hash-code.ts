/** Java's String.hashCode: a signed 32-bit number over UTF-16 units. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}

/** The partition of a coordinator's topic that a key belongs to: Kafka's rule, so that its tools agree. */
export function partitionOfKey(key: string, partitionCount: number): number {
  const hash = javaHashCode(key)
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount
}

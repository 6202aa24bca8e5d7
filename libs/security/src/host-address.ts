const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/**
 * An address as Kafka writes it in ACLs and quotas: IPv4 plainly, also where the socket is an IPv6 one that carries it, and
 * IPv6 as eight groups without leading zeros and without `::`.
 */
export function hostAddress(address: string): string {
  const mapped = MAPPED.exec(address)
  if (mapped) return mapped[1]
  if (!address.includes(':')) return address
  const [plain, zone] = address.split('%')
  const [head, tail] = plain.split('::')
  const groups = groupsOf(head)
  const rest = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array<string>(8 - groups.length - rest.length).fill('0')
  const full = [...groups, ...zeros, ...rest].map((group) =>
    Number.parseInt(group, 16).toString(16),
  )
  return full.join(':') + (zone === undefined ? '' : `%${zone}`)
}

/** The last two groups may be written as an IPv4 address. */
function groupsOf(text: string): string[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [group]
    const [a, b, c, d] = group.split('.').map(Number)
    return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
  })
}

const PORT_MAX = 65_535

/** Reads `host:port`, with an IPv6 address in brackets; null if the text is none. */
export function parseHostPort(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  return match && port <= PORT_MAX ? { host: match[1] ?? match[2], port } : null
}

/** Which methods a path is served with: what a router that only says "not found" does not tell. */
export class RouteTable {
  readonly #methodsByPattern = new Map<string, Set<string>>()

  /** `url` as the router has it: segments that begin with a colon stand for any text. */
  add(methods: string | readonly string[], url: string): void {
    const known = this.#methodsByPattern.get(url) ?? new Set<string>()
    for (const method of [methods].flat()) known.add(method)
    this.#methodsByPattern.set(url, known)
  }

  /** Empty if nothing is served at the path. */
  methodsOf(url: string): readonly string[] {
    const path = segmentsOf(url.split('?', 1)[0])
    const found = new Set<string>()
    for (const [pattern, methods] of this.#methodsByPattern) {
      if (matches(segmentsOf(pattern), path)) for (const method of methods) found.add(method)
    }
    return [...found].sort()
  }
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '')
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((segment, index) => segment.startsWith(':') || segment === path[index])
  )
}

/** What is in a list more than once, in time that grows with the list only: its sender decides how long it is. */
export function repeated<T>(items: Iterable<T>): ReadonlySet<T> {
  const seen = new Set<T>()
  const found = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) found.add(item)
    seen.add(item)
  }
  return found
}

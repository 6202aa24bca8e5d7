/** Tells whether a name matches a Debezium include or exclude list. */
export type NameMatcher = (name: string) => boolean

/**
 * Parses a comma-separated list of regular expressions, each of which must match a whole name, in any case. A comma inside an
 * expression is written `\,`.
 * @throws SyntaxError for an expression that is none
 */
export function parsePatterns(text: string): NameMatcher {
  const patterns = text
    .split(/(?<!\\),/)
    .map((part) => part.trim().replaceAll('\\,', ','))
    .filter((part) => part !== '')
    .map((part) => new RegExp(`^(?:${part})$`, 'i'))
  return (name) => patterns.some((pattern) => pattern.test(name))
}

/** What passes an include and an exclude list, of which at most one is given. */
export function parseFilter(include: string | null, exclude: string | null): NameMatcher {
  if (include !== null && include.trim() !== '') return parsePatterns(include)
  if (exclude === null || exclude.trim() === '') return () => true
  const isExcluded = parsePatterns(exclude)
  return (name) => !isExcluded(name)
}

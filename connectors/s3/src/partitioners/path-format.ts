/** Writes a local time, given as milliseconds as if it were UTC. */
type Part = (localMs: number) => string
export type PathFormat = (localMs: number) => string

const LETTERS: Readonly<Record<string, ((date: Date) => number) | undefined>> = {
  y: (date) => date.getUTCFullYear(),
  Y: (date) => date.getUTCFullYear(),
  M: (date) => date.getUTCMonth() + 1,
  d: (date) => date.getUTCDate(),
  H: (date) => date.getUTCHours(),
  m: (date) => date.getUTCMinutes(),
  s: (date) => date.getUTCSeconds(),
}

/** A run of one letter, text in quotes ('' is a quote), or anything else. */
const TOKEN = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^'A-Za-z]+/gy

/**
 * Reads a date pattern of Java's kind with the letters y Y M d H m s; null if it has others, names of months included, or an
 * open quote.
 */
export function parsePathFormat(pattern: string): PathFormat | null {
  const parts: Part[] = []
  let readChars = 0
  for (const [token, quoted, letter] of pattern.matchAll(TOKEN)) {
    const part = letter === undefined ? literal(quoted, token) : number(letter, token.length)
    if (part === null) return null
    parts.push(part)
    readChars += token.length
  }
  if (readChars < pattern.length) return null
  return (localMs) => parts.map((part) => part(localMs)).join('')
}

function literal(quoted: string | undefined, token: string): Part {
  if (quoted === undefined) return () => token
  const text = quoted === '' ? "'" : quoted.replaceAll("''", "'")
  return () => text
}

function number(letter: string, width: number): Part | null {
  const read = LETTERS[letter]
  if (read === undefined || (letter === 'M' && width > 2)) return null
  const isShortYear = (letter === 'y' || letter === 'Y') && width === 2
  return (localMs) => {
    const value = read(new Date(localMs))
    return String(isShortYear ? value % 100 : value).padStart(width, '0')
  }
}

/**
 * Parses the text of a Java properties file: `key=value`, `key: value` or `key value`, comments with # or !, lines
 * continued by a trailing backslash, and backslash escapes. A later line wins over an earlier one.
 */
export function parsePropertiesFile(text: string): Record<string, string> {
  const properties: Record<string, string> = {}
  for (const line of logicalLines(text)) {
    const separator = /(?<!\\)(?:\\\\)*(\s*[=:]\s*|\s+)/.exec(line)
    const keyText = separator
      ? line.slice(0, separator.index + separator[0].length - separator[1].length)
      : line
    const valueText = separator ? line.slice(separator.index + separator[0].length) : ''
    properties[unescape(keyText)] = unescape(valueText)
  }
  return properties
}

function* logicalLines(text: string): Generator<string> {
  let pending = ''
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const line = raw.trimStart()
    if (pending === '' && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const trailing = /\\+$/.exec(line)
    if (trailing && trailing[0].length % 2 === 1) {
      pending += line.slice(0, -1)
      continue
    }
    yield pending + line
    pending = ''
  }
  if (pending !== '') yield pending
}

const ESCAPES: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, code: string) =>
    code.length === 5
      ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
      : (ESCAPES[code] ?? code),
  )
}

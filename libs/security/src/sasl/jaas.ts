/** One login module of a JAAS configuration. */
export interface JaasEntry {
  /** The class, `org.apache.kafka.common.security.plain.PlainLoginModule`. */
  readonly loginModule: string
  readonly options: ReadonlyMap<string, string>
}

const CONTROL_FLAGS = ['required', 'requisite', 'sufficient', 'optional']

/** Blanks, comments, a quoted string, a word, or one sign: the tokens that Kafka's own parser knows. */
const TOKEN =
  /\s+|\/\/[^\n]*|\/\*[^]*?\*\/|"((?:\\[^]|[^"\\\n])*)"|'((?:\\[^]|[^'\\\n])*)'|([\w$.\u0080-\uffff-]+)|([^])/gy

interface Token {
  /** Null for a sign. */
  readonly word: string | null
  readonly sign: string | null
}

/**
 * Reads the text of a `sasl.jaas.config`: `MODULE FLAG name="value" ... ;`, one or several.
 * @throws Error whose message says what was expected; it never holds a value, since those are secrets
 */
export function parseJaas(text: string): JaasEntry[] {
  const tokens = tokenize(text)
  const entries: JaasEntry[] = []
  for (let at = 0; at < tokens.length; ) {
    const { entry, next } = parseEntry(tokens, at)
    entries.push(entry)
    at = next
  }
  if (entries.length === 0) throw new Error('a login module')
  return entries
}

function parseEntry(tokens: readonly Token[], start: number): { entry: JaasEntry; next: number } {
  const loginModule = tokens[start].word
  if (loginModule === null) throw new Error('the name of a login module')
  const flag = tokens[start + 1]?.word
  if (!flag || !CONTROL_FLAGS.includes(flag.toLowerCase()))
    throw new Error(`one of ${CONTROL_FLAGS.join(', ')} after ${loginModule}`)
  const options = new Map<string, string>()
  let at = start + 2
  while (at < tokens.length && tokens[at].sign !== ';') {
    const name = tokens[at].word
    const value = tokens[at + 2]?.word
    if (name === null || tokens[at + 1]?.sign !== '=' || typeof value !== 'string')
      throw new Error(`options name="value" after ${loginModule}`)
    options.set(name, value)
    at += 3
  }
  if (at >= tokens.length) throw new Error(`a semicolon at the end of ${loginModule}`)
  return { entry: { loginModule, options }, next: at + 1 }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  for (const [, double, single, word, sign] of text.matchAll(TOKEN)) {
    const quoted = double ?? single
    if (quoted !== undefined) tokens.push({ word: unescape(quoted), sign: null })
    else if (word !== undefined) tokens.push({ word, sign: null })
    else if (sign !== undefined) tokens.push({ word: null, sign })
  }
  return tokens
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

function unescape(text: string): string {
  return text.replace(/\\([0-3]?[0-7]{1,2}|[^])/g, (_, escaped: string) =>
    /^[0-7]/.test(escaped)
      ? String.fromCharCode(Number.parseInt(escaped, 8))
      : (ESCAPES[escaped] ?? escaped),
  )
}

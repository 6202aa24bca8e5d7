/** Turns the distinguished name of a certificate into the name of a user; null if no rule applies. */
export type PrincipalMapper = (distinguishedName: string) => string | null

const RULES = /\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,\s*|$)/y

/**
 * Reads `ssl.principal.mapping.rules`: `RULE:pattern/replacement/[LU]` and `DEFAULT`, comma separated. The pattern must match the whole
 * name; `$1` stands for a group, and for itself where there is no such group.
 * @throws Error that says what was expected
 */
export function parsePrincipalRules(text: string): PrincipalMapper {
  const rules: PrincipalMapper[] = []
  const trimmed = text.trim()
  RULES.lastIndex = 0
  while (RULES.lastIndex < trimmed.length) {
    const at = RULES.lastIndex
    const match = RULES.exec(trimmed)
    if (match === null)
      throw new Error(
        `rules RULE:pattern/replacement/[LU] or DEFAULT, from "${trimmed.slice(at)}" on`,
      )
    const [, isDefault, pattern, replacement, letterCase] = match
    rules.push(isDefault ? (name) => name : rule(pattern, replacement, letterCase))
  }
  return (name) => {
    for (const apply of rules) {
      const mapped = apply(name)
      if (mapped !== null) return mapped
    }
    return null
  }
}

function rule(pattern: string, replacement: string, letterCase: string): PrincipalMapper {
  const whole = compile(`^(?:${pattern})$`)
  const each = compile(pattern, 'g')
  return (name) => {
    if (!whole.test(name)) return null
    const mapped = name.replace(each, (...args: unknown[]) => expand(replacement, args))
    if (letterCase === 'L') return mapped.toLowerCase()
    return letterCase === 'U' ? mapped.toUpperCase() : mapped
  }
}

function compile(pattern: string, flags = ''): RegExp {
  try {
    return new RegExp(pattern, flags)
  } catch (cause) {
    throw new Error(`a regular expression instead of ${pattern}`, { cause })
  }
}

/** Java's rules of a replacement: `$12` is group 12, or 1 followed by a 2; a backslash takes the next sign as it is. */
function expand(replacement: string, args: readonly unknown[]): string {
  // After the groups come the position and the whole text.
  const groupCount = args.findIndex((arg) => typeof arg === 'number') - 1
  return replacement.replace(/\\(.)|\$(\d+)/g, (text, escaped?: string, digits?: string) => {
    if (escaped !== undefined) return escaped
    for (let length = digits!.length; length > 0; length--) {
      const group = Number(digits!.slice(0, length))
      if (group <= groupCount)
        return String((args[group] as string | undefined) ?? '') + digits!.slice(length)
    }
    return text
  })
}

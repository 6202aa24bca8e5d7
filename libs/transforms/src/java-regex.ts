/**
 * A regular expression as Java's Pattern reads it, for the syntax that both languages share, matching whole names.
 * A leading `(?i)` becomes the flag. @throws SyntaxError
 */
export function compileJavaRegex(text: string): RegExp {
  const inline = /^\(\?([ims]+)\)/.exec(text)
  const source = inline ? text.slice(inline[0].length) : text
  return new RegExp(`^(?:${source})$`, inline ? inline[1] : '')
}

/** Java's replacement syntax in JavaScript's: `$1` and `${name}` are groups, a backslash makes the next character plain. */
export function javaReplacement(text: string): string {
  return text.replace(/\\(.)|\$\{(\w+)\}|\$(\d+)|\$/g, (_whole, plain, name, group) => {
    if (plain !== undefined) return plain === '$' ? '$$' : plain
    if (name !== undefined) return `$<${name}>`
    return group === undefined ? '$$' : group === '0' ? '$&' : `$${group}`
  })
}

/** Characters of ASCII. All others are left out: no name of a topic has them. */
const SIZE = 128

export class CharSet {
  static readonly none = new CharSet(new Uint8Array(SIZE))
  static readonly all = new CharSet(new Uint8Array(SIZE).fill(1))
  readonly #has: Uint8Array

  private constructor(has: Uint8Array) {
    this.#has = has
  }

  /** Both ends inclusive. */
  static range(firstCode: number, lastCode: number): CharSet {
    return CharSet.where((code) => code >= firstCode && code <= lastCode)
  }

  static where(isIn: (code: number) => boolean): CharSet {
    return new CharSet(Uint8Array.from({ length: SIZE }, (_, code) => (isIn(code) ? 1 : 0)))
  }

  has(code: number): boolean {
    return this.#has[code] === 1
  }

  with(other: CharSet): CharSet {
    return CharSet.where((code) => this.has(code) || other.has(code))
  }

  negated(): CharSet {
    return CharSet.where((code) => !this.has(code))
  }
}

/** With the other case of each letter. */
export function caseFolded(chars: CharSet): CharSet {
  return CharSet.where((code) => {
    const char = String.fromCharCode(code)
    return (
      chars.has(code) ||
      chars.has(char.toLowerCase().charCodeAt(0)) ||
      chars.has(char.toUpperCase().charCodeAt(0))
    )
  })
}

const POSIX: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  ascii: /[^]/,
  blank: /[\t ]/,
  cntrl: /[\0-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t\n\v\f\r ]/,
  upper: /[A-Z]/,
  word: /[0-9A-Za-z_]/,
  xdigit: /[0-9A-Fa-f]/,
}
const PERL: Readonly<Record<string, RegExp>> = {
  d: /[0-9]/,
  s: /[\t\n\f\r ]/,
  w: /[0-9A-Za-z_]/,
}

/** `[:name:]`; null if there is none. */
export function posixSet(name: string): CharSet | null {
  return Object.hasOwn(POSIX, name) ? matching(POSIX[name]) : null
}

/** `\d`, `\s`, `\w`, and in upper case what is not in them. */
export function perlSet(letter: string): CharSet {
  const lower = letter.toLowerCase()
  return letter === lower ? matching(PERL[lower]) : matching(PERL[lower]).negated()
}

/** A general category or a script of Unicode; null if there is none. */
export function namedSet(name: string): CharSet | null {
  if (name === 'Any') return CharSet.all
  for (const property of [name, `Script=${name}`]) {
    try {
      return matching(new RegExp(`\\p{${property}}`, 'u'))
    } catch {
      // Not that kind of name: there is no way to ask but to try.
    }
  }
  return null
}

function matching(expression: RegExp): CharSet {
  return CharSet.where((code) => expression.test(String.fromCharCode(code)))
}

/**
 * Reads patterns in the syntax of RE2, which is what consumers send. Only what ASCII text can tell apart is kept: names of
 * topics have nothing else. No look-around and no back references, so that a match takes linear time (`matcher.ts`).
 */
import { CharSet, caseFolded, namedSet, perlSet, posixSet } from './char-set'

/** Which place in the text a pattern asks for. Names have one line: the flags `m` and `s` change nothing. */
export type Place = 'start' | 'end' | 'word-boundary' | 'no-word-boundary'

export type Pattern =
  | { readonly type: 'chars'; readonly chars: CharSet }
  | { readonly type: 'place'; readonly place: Place }
  | { readonly type: 'sequence' | 'either'; readonly parts: readonly Pattern[] }
  /** `max` may be Infinity. */
  | { readonly type: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number }

/** RE2's limits. */
const REPEAT_MAX = 1000
const NESTING_MAX = 250

/** Why a text is no pattern. */
export class PatternSyntaxError extends Error {}

export function parsePattern(text: string): Pattern {
  const parser = new Parser(text)
  return parser.parse()
}

const EMPTY: Pattern = { type: 'sequence', parts: [] }
const ESCAPED_CONTROLS: Readonly<Record<string, number>> = {
  a: 7,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
}
const PLACES: Readonly<Record<string, Place>> = {
  A: 'start',
  z: 'end',
  b: 'word-boundary',
  B: 'no-word-boundary',
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0
  #ignoresCase = false

  constructor(text: string) {
    this.#text = text
  }

  parse(): Pattern {
    const pattern = this.#either()
    if (this.#at < this.#text.length) throw new PatternSyntaxError('unexpected )')
    return pattern
  }

  #either(): Pattern {
    if (++this.#depth > NESTING_MAX) throw new PatternSyntaxError('nested too deeply')
    const parts = [this.#sequence()]
    while (this.#accept('|')) parts.push(this.#sequence())
    this.#depth--
    return parts.length === 1 ? parts[0] : { type: 'either', parts }
  }

  #sequence(): Pattern {
    const parts: Pattern[] = []
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at])) {
      if (this.#accept('\\Q')) parts.push(...this.#quoted())
      else parts.push(this.#repeated(this.#atom()))
    }
    return { type: 'sequence', parts }
  }

  /** Up to `\E`, or to the end; what follows `\E` repeats nothing but the last character. */
  #quoted(): Pattern[] {
    const end = this.#text.indexOf('\\E', this.#at)
    const quoted = this.#text.slice(this.#at, end === -1 ? undefined : end)
    this.#at = end === -1 ? this.#text.length : end + 2
    const parts = [...quoted].map((char) => this.#literal(char))
    const last = parts.pop()
    return last ? [...parts, this.#repeated(last)] : []
  }

  #repeated(part: Pattern): Pattern {
    const range = this.#repetition()
    if (!range) return part
    this.#accept('?') // as few as possible: makes no difference to whether all of a name matches
    if (this.#repetition()) throw new PatternSyntaxError('a repetition of a repetition')
    return { type: 'repeat', part, ...range }
  }

  #repetition(): { min: number; max: number } | null {
    if (this.#accept('*')) return { min: 0, max: Infinity }
    if (this.#accept('+')) return { min: 1, max: Infinity }
    if (this.#accept('?')) return { min: 0, max: 1 }
    const match = this.#acceptMatch(/\{(\d+)(,?)(\d*)\}/y)
    if (!match) return null
    const min = Number(match[1])
    const max = match[2] === '' ? min : match[3] === '' ? Infinity : Number(match[3])
    const isTooLarge = min > REPEAT_MAX || (max !== Infinity && max > REPEAT_MAX)
    if (isTooLarge || min > max) throw new PatternSyntaxError(`bad repetition ${match[0]}`)
    return { min, max }
  }

  #atom(): Pattern {
    const char = this.#next()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return { type: 'chars', chars: this.#charClass() }
      case '.':
        return { type: 'chars', chars: CharSet.all }
      case '^':
        return { type: 'place', place: 'start' }
      case '$':
        return { type: 'place', place: 'end' }
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
        throw new PatternSyntaxError(`nothing before ${char}`)
      default:
        return this.#literal(char)
    }
  }

  #group(): Pattern {
    const ignoresCase = this.#ignoresCase
    if (this.#accept('?')) {
      const isNamed = this.#acceptMatch(/P?<(\w+)>/y) !== null
      if (!isNamed && this.#flags()) return EMPTY // (?i) counts up to the end of the group that it is in
    }
    const pattern = this.#either()
    if (!this.#accept(')')) throw new PatternSyntaxError('missing )')
    this.#ignoresCase = ignoresCase
    return pattern
  }

  /** True if the group ends with them. */
  #flags(): boolean {
    const match = this.#acceptMatch(/([imsU]*)(?:-([imsU]+))?([:)])/y)
    if (!match || match[0] === ')') throw new PatternSyntaxError('bad group')
    if (match[1].includes('i')) this.#ignoresCase = true
    if (match[2]?.includes('i')) this.#ignoresCase = false
    return match[3] === ')'
  }

  #escape(): Pattern {
    if (this.#at === this.#text.length) throw new PatternSyntaxError('ends with \\')
    const place = PLACES[this.#text[this.#at]]
    if (place) {
      this.#at++
      return { type: 'place', place }
    }
    const chars = this.#escapedSet()
    return chars ? { type: 'chars', chars } : this.#literal(this.#escapedChar())
  }

  /** `\d`, `\pL` and the like; null if another escape follows. */
  #escapedSet(): CharSet | null {
    const perl = this.#acceptMatch(/[dDsSwW]/y)
    if (perl) return perlSet(perl[0])
    const named = this.#acceptMatch(/([pP])(?:\{(\^?)(\w+)\}|(\w))/y)
    if (!named) return null
    const [, letter, negation, name = named[4]] = named
    const chars = namedSet(name)
    if (!chars) throw new PatternSyntaxError(`unknown class ${name}`)
    return (letter === 'P') === (negation === '^') ? chars : chars.negated()
  }

  #escapedChar(): string {
    const hex = this.#acceptMatch(/x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/y)
    if (hex) return charOf(Number.parseInt(hex[1] ?? hex[2], 16))
    const octal = this.#acceptMatch(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y)
    if (octal) return charOf(Number.parseInt(octal[0], 8))
    const char = this.#next()
    const control = ESCAPED_CONTROLS[char]
    if (control !== undefined) return charOf(control)
    if (/\w/.test(char)) throw new PatternSyntaxError(`unknown escape \\${char}`)
    return char
  }

  #charClass(): CharSet {
    const isNegated = this.#accept('^')
    let chars = CharSet.none
    for (let isFirst = true; isFirst || !this.#accept(']'); isFirst = false) {
      chars = chars.with(this.#classMember())
    }
    if (this.#ignoresCase) chars = caseFolded(chars)
    return isNegated ? chars.negated() : chars
  }

  #classMember(): CharSet {
    const posix = this.#acceptMatch(/\[:(\^?)(\w+):\]/y)
    if (posix) {
      const chars = posixSet(posix[2])
      if (!chars) throw new PatternSyntaxError(`unknown class ${posix[2]}`)
      return posix[1] === '^' ? chars.negated() : chars
    }
    if (this.#text[this.#at] === '\\') {
      this.#at++
      const chars = this.#escapedSet()
      if (chars) return chars
      this.#at--
    }
    const first = this.#classChar()
    const isRange = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']'
    if (!isRange) return CharSet.range(first, first)
    this.#at++
    const last = this.#classChar()
    if (last < first) throw new PatternSyntaxError('a range from more to less')
    return CharSet.range(first, last)
  }

  /** Its code point. */
  #classChar(): number {
    const char = this.#next('missing ]')
    return (char === '\\' ? this.#escapedChar() : char).codePointAt(0)!
  }

  #literal(char: string): Pattern {
    const code = char.codePointAt(0)!
    const chars = CharSet.range(code, code)
    return { type: 'chars', chars: this.#ignoresCase ? caseFolded(chars) : chars }
  }

  /** A whole code point. */
  #next(missing = 'ends too early'): string {
    const code = this.#text.codePointAt(this.#at)
    if (code === undefined) throw new PatternSyntaxError(missing)
    const char = String.fromCodePoint(code)
    this.#at += char.length
    return char
  }

  #accept(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  /** Of a sticky expression. */
  #acceptMatch(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at
    const match = expression.exec(this.#text)
    if (match) this.#at += match[0].length
    return match
  }
}

function charOf(code: number): string {
  if (code > 0x10ffff) throw new PatternSyntaxError('no such character')
  return String.fromCodePoint(code)
}

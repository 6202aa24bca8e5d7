import type { CharSet } from './char-set'
import { type Pattern, type Place, PatternSyntaxError } from './parse'

/** Steps of a compiled pattern; repetitions of repetitions would grow without end. */
const PROGRAM_MAX_STEPS = 2000
/** States that are remembered for one pattern; when there are more, all are forgotten and found again. */
const STATES_MAX_COUNT = 500
const NO_CHAR = -1

/** Goes on at all of these. */
interface Jump {
  readonly type: 'jump'
  readonly to: number[]
}
type Step =
  | { readonly type: 'chars'; readonly chars: CharSet }
  | { readonly type: 'place'; readonly place: Place }
  | Jump
  | { readonly type: 'match' }

/** Where in the program a text that was read so far may be. */
interface State {
  readonly steps: readonly number[]
  /** The character that was read last; NO_CHAR at the start. */
  readonly lastChar: number
  /** By character. */
  readonly next: (State | undefined)[]
  isMatch: boolean | null
}

/**
 * Tells whether all of a text matches a pattern, in a time that grows with the length of the text only: all ways through the
 * pattern are followed at once, and what was found is remembered. @throws PatternSyntaxError if the pattern is too large
 */
export class Matcher {
  readonly #program: Step[] = []
  #states = new Map<string, State>()
  #start: State

  constructor(pattern: Pattern) {
    this.#compile(pattern)
    this.#emit({ type: 'match' })
    this.#start = this.#state([0], NO_CHAR)
  }

  matches(text: string): boolean {
    let state = this.#start
    for (let at = 0; at < text.length; at++) {
      const char = text.charCodeAt(at)
      if (char > 127) return false
      state = state.next[char] ??= this.#advance(state, char)
      if (state.steps.length === 0) return false
    }
    return (state.isMatch ??= this.#isMatch(state))
  }

  #compile(pattern: Pattern): void {
    switch (pattern.type) {
      case 'chars':
      case 'place':
        this.#emit(pattern)
        return
      case 'sequence':
        for (const part of pattern.parts) this.#compile(part)
        return
      case 'either':
        return this.#compileEither(pattern.parts)
      case 'repeat':
        return this.#compileRepeat(pattern)
    }
  }

  #compileEither(parts: readonly Pattern[]): void {
    const choice = this.#jump()
    const exits = parts.map((part) => {
      choice.to.push(this.#program.length)
      this.#compile(part)
      return this.#jump()
    })
    for (const exit of exits) exit.to.push(this.#program.length)
  }

  #compileRepeat({ part, min, max }: Pattern & { type: 'repeat' }): void {
    for (let count = 0; count < min; count++) this.#compile(part)
    if (max === Infinity) {
      const loop = this.#jump(this.#program.length + 1)
      const loopAt = this.#program.length - 1
      this.#compile(part)
      this.#jump(loopAt)
      loop.to.push(this.#program.length)
      return
    }
    const exits: Jump[] = []
    for (let count = min; count < max; count++) {
      exits.push(this.#jump(this.#program.length + 1))
      this.#compile(part)
    }
    for (const exit of exits) exit.to.push(this.#program.length)
  }

  #jump(...to: number[]): Jump {
    const jump: Jump = { type: 'jump', to }
    this.#emit(jump)
    return jump
  }

  #emit(step: Step): void {
    if (this.#program.length >= PROGRAM_MAX_STEPS) throw new PatternSyntaxError('too large')
    this.#program.push(step)
  }

  #advance({ steps, lastChar }: State, char: number): State {
    const next: number[] = []
    for (const at of this.#reachable(steps, lastChar, char)) {
      const step = this.#program[at]
      if (step.type === 'chars' && step.chars.has(char)) next.push(at + 1)
    }
    return this.#state(next, char)
  }

  #isMatch({ steps, lastChar }: State): boolean {
    for (const at of this.#reachable(steps, lastChar, NO_CHAR)) {
      if (this.#program[at].type === 'match') return true
    }
    return false
  }

  /** All steps to which those lead without a character being read. */
  #reachable(steps: readonly number[], lastChar: number, nextChar: number): Set<number> {
    const reached = new Set<number>()
    const open = [...steps]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (reached.has(at)) continue
      reached.add(at)
      const step = this.#program[at]
      if (step.type === 'jump') open.push(...step.to)
      if (step.type === 'place' && isAt(step.place, lastChar, nextChar)) open.push(at + 1)
    }
    return reached
  }

  #state(steps: number[], lastChar: number): State {
    // Of the last character only matters whether there was one, and whether it was part of a word.
    const kind = lastChar === NO_CHAR ? 'start' : isWord(lastChar) ? 'word' : 'other'
    const key = `${kind} ${steps.join()}`
    let state = this.#states.get(key)
    if (!state) {
      if (this.#states.size >= STATES_MAX_COUNT) this.#forget()
      state = { steps, lastChar, next: [], isMatch: null }
      this.#states.set(key, state)
    }
    return state
  }

  /** A name that is being looked at goes on with the states that it has. */
  #forget(): void {
    this.#states = new Map()
    this.#start = { ...this.#start, next: [] }
  }
}

function isAt(place: Place, lastChar: number, nextChar: number): boolean {
  switch (place) {
    case 'start':
      return lastChar === NO_CHAR
    case 'end':
      return nextChar === NO_CHAR
    case 'word-boundary':
      return isWord(lastChar) !== isWord(nextChar)
    case 'no-word-boundary':
      return isWord(lastChar) === isWord(nextChar)
  }
}

function isWord(char: number): boolean {
  return char !== NO_CHAR && /\w/.test(String.fromCharCode(char))
}

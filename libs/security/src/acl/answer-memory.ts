import type { Principal } from '../principal'
import type { Requester } from './authorizer'

/** No topic has a longer name. Who asks about longer ones would fill the memory with them: 32 KB each. */
const NAME_MAX_CHARS = 249

/** By what is asked, then by the name that it is asked about. */
type Answers<T> = Map<number, Map<string, T>>

/**
 * What was answered to whom. A requester is looked up by identity, so that a question costs no string: those of the same
 * principal and host share their answers. When there are too many answers, all are forgotten; of long names none is kept.
 */
export class AnswerMemory<T> {
  readonly #maxCount: number
  #byRequester = new WeakMap<Requester, { principal: Principal; answers: Answers<T> }>()
  readonly #byIdentity = new Map<string, Answers<T>>()
  #count = 0

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  get(who: Requester, question: number, name: string): T | undefined {
    return this.#answersTo(who).get(question)?.get(name)
  }

  set(who: Requester, question: number, name: string, answer: T): void {
    if (name.length > NAME_MAX_CHARS) return
    if (this.#count >= this.#maxCount) this.clear()
    const answers = this.#answersTo(who)
    let byName = answers.get(question)
    if (!byName) answers.set(question, (byName = new Map()))
    byName.set(name, answer)
    this.#count += 1
  }

  clear(): void {
    this.#byRequester = new WeakMap()
    this.#byIdentity.clear()
    this.#count = 0
  }

  #answersTo(who: Requester): Answers<T> {
    const known = this.#byRequester.get(who)
    // A connection is ANONYMOUS until its login.
    if (known?.principal === who.principal) return known.answers
    const { type, name } = who.principal
    // The length of the name is part of it, so that nobody can pass for somebody else by what stands in his name.
    const identity = `${name.length}/${type}:${name}@${who.host}`
    let answers = this.#byIdentity.get(identity)
    if (!answers) this.#byIdentity.set(identity, (answers = new Map()))
    this.#byRequester.set(who, { principal: who.principal, answers })
    return answers
  }
}

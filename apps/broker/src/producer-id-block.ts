import type { Controller } from '@millrace/controller'

/** Ids taken from the controller at once. What is left of a block at a restart is never used, which costs nothing. */
const BLOCK_SIZE = 1000

/** Hands out producer ids one by one from durable blocks. */
export class ProducerIdBlock {
  readonly #controller: Controller
  #nextId = 0
  #firstIdAfter = 0
  #refill: Promise<void> | null = null

  constructor(deps: { controller: Controller }) {
    this.#controller = deps.controller
  }

  /** An id that nobody else was or will be given. @throws the controller's errors when a block cannot be had. */
  async next(): Promise<number> {
    // Several may wait for one refill, and a large crowd may use it up before the last of them runs.
    while (this.#nextId >= this.#firstIdAfter) await this.#refillOnce()
    return this.#nextId++
  }

  #refillOnce(): Promise<void> {
    this.#refill ??= this.#take().finally(() => {
      this.#refill = null
    })
    return this.#refill
  }

  async #take(): Promise<void> {
    const block = await this.#controller.allocateProducerIds(BLOCK_SIZE)
    this.#nextId = block.firstProducerId
    this.#firstIdAfter = block.firstProducerId + block.count
  }
}

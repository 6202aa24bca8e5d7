/** Which groups have offsets in the open transaction of a producer. */
export class OpenTransactions {
  readonly #groups = new Map<number, Set<string>>()

  add(producerId: number, groupId: string): void {
    const groups = this.#groups.get(producerId)
    if (groups) groups.add(groupId)
    else this.#groups.set(producerId, new Set([groupId]))
  }

  /** The groups of a transaction that has ended. */
  take(producerId: number): Iterable<string> {
    const groups = this.#groups.get(producerId) ?? []
    this.#groups.delete(producerId)
    return groups
  }
}

import type { TopicsView } from '../../src/topics-view'

interface Topic {
  readonly id: string
  readonly partitionCount: number
}

/** Topics that the test makes, changes and deletes. */
export class MemoryTopics implements TopicsView {
  readonly #topics = new Map<string, Topic>()
  #version = 0
  #idCount = 0

  /** A new topic, or one with more partitions. Returns its id. */
  set(name: string, partitionCount: number): string {
    const id = this.#topics.get(name)?.id ?? this.#newId()
    this.#topics.set(name, { id, partitionCount })
    this.#version++
    return id
  }

  delete(name: string): void {
    this.#topics.delete(name)
    this.#version++
  }

  version(): number {
    return this.#version
  }

  names(): Iterable<string> {
    return this.#topics.keys()
  }

  topicId(name: string): string | null {
    return this.#topics.get(name)?.id ?? null
  }

  nameOf(topicId: string): string | null {
    for (const [name, { id }] of this.#topics) if (id === topicId) return name
    return null
  }

  partitionCount(name: string): number {
    return this.#topics.get(name)?.partitionCount ?? 0
  }

  #newId(): string {
    const bytes = Buffer.alloc(16)
    bytes.writeUInt32BE(++this.#idCount, 12)
    return bytes.toString('base64url')
  }
}

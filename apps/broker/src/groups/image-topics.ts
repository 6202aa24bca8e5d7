import type { MetadataImage, TopicImage } from '@millrace/controller'
import type { TopicsView } from '@millrace/coordinator'

/** The topics of the cluster's metadata, for group members who read them. */
export class ImageTopics implements TopicsView {
  readonly #image: () => MetadataImage
  #seen: ReadonlyMap<string, TopicImage> | null = null
  #version = 0

  constructor(image: () => MetadataImage) {
    this.#image = image
  }

  /** The revision at which a change of topics was seen: most revisions are about other things. */
  version(): number {
    const { topics, revision } = this.#image()
    if (topics !== this.#seen) {
      this.#seen = topics
      this.#version = revision
    }
    return this.#version
  }

  names(): Iterable<string> {
    return this.#image().topics.keys()
  }

  topicId(name: string): string | null {
    return this.#image().topics.get(name)?.id ?? null
  }

  nameOf(topicId: string): string | null {
    return this.#image().topicById(topicId)?.name ?? null
  }

  partitionCount(name: string): number {
    return this.#image().topics.get(name)?.partitions.length ?? 0
  }
}

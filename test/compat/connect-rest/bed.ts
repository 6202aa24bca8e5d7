import type { KafkaHome, KafkaNode } from '../../peers/apache-kafka.ts'

/** A worker on a Kafka of its own. */
export interface BedSide {
  readonly url: string
  readonly kafka: KafkaNode
  /** Stands for `DIR` in the script; `in.txt` is in it. */
  readonly directory: string
  /** Ends the worker; more than once does no harm. */
  readonly stop: () => Promise<void>
}

export interface Bed {
  readonly home: KafkaHome
  readonly theirs: BedSide
  readonly ours: BedSide
  /** What to end, in the order of its start. */
  readonly closers: (() => Promise<void>)[]
}

export async function closeAll({ closers }: Bed): Promise<void> {
  for (const close of closers.reverse()) await close()
}

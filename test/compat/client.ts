/** What the scenarios ask of a client. Each folder beside this file makes one client answer to it. */

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

export interface Outgoing {
  readonly key: string | null
  readonly value: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Incoming extends Outgoing {
  readonly partition: number
  readonly offset: number
}

export interface ProduceOptions {
  readonly codec: Codec
  readonly isIdempotent: boolean
}

export type Position = 'beginning' | { readonly offset: number } | { readonly timestampMs: number }

export interface FetchOptions {
  readonly topic: string
  readonly partition: number
  readonly from: Position
  /** Waits until so many messages are there. */
  readonly count: number
}

/** A member of a consumer group, which reads new groups from the earliest offset. */
export interface Member {
  /** Grows while the member runs, in the order of arrival. */
  readonly received: readonly Incoming[]
  /** Why it ended by itself. */
  readonly failure: Error | null
  /** Commits what it has received, leaves the group and ends. */
  leave(): Promise<void>
}

/** Every method may throw NotOffered. */
export interface Client {
  readonly version: string
  createTopic(topic: string, partitions: number): Promise<void>
  listTopics(): Promise<readonly string[]>
  deleteTopic(topic: string): Promise<void>
  /** With acks=all; resolves when all are acknowledged. Messages of one key stay in order. */
  produce(topic: string, messages: readonly Outgoing[], options: ProduceOptions): Promise<void>
  fetch(options: FetchOptions): Promise<readonly Incoming[]>
  join(options: { readonly group: string; readonly topic: string }): Promise<Member>
}

export interface Missing {
  /** What this machine would need. */
  readonly missing: string
}

export interface ClientEntry {
  readonly name: string
  /** Left out of a quick run. */
  readonly isSlow?: boolean
  open(bootstrap: string): Promise<Client | Missing>
}

/** The client has no such function: the scenario is skipped, with this reason. */
export class NotOffered extends Error {
  override readonly name = 'NotOffered'
}

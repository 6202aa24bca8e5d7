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
  readonly isolation?: 'read_committed'
}

/** One transaction of a producer. */
export interface TransactionStep {
  readonly topic: string
  readonly messages: readonly Outgoing[]
  /**
   * `fenced`: before the commit another producer begins with this transactional id, and the commit must be refused for that
   * reason. No step can follow.
   */
  readonly outcome: 'commit' | 'abort' | 'fenced'
  /** A position of a group that is committed or dropped with the messages. */
  readonly position?: {
    readonly group: string
    readonly topic: string
    readonly partition: number
    readonly offset: number
  }
}

export interface JoinOptions {
  readonly group: string
  readonly topic: string
  /** Makes it a static member. */
  readonly instanceId?: string
  /** Default: classic. */
  readonly protocol?: 'classic' | 'consumer'
}

/** How to log in, for a listener that asks for it. */
export interface Login {
  /** Null: no SASL. */
  readonly sasl: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    readonly username: string
    readonly password: string
  } | null
  /** The certificate authority of the server, PEM; null: no TLS. */
  readonly caFile: string | null
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
  /** Runs the steps one after the other, by one producer with this transactional id. */
  transact(transactionalId: string, steps: readonly TransactionStep[]): Promise<void>
  join(options: JoinOptions): Promise<Member>
}

export interface Missing {
  /** What this machine would need. */
  readonly missing: string
}

export interface ClientEntry {
  readonly name: string
  /** Left out of a quick run. */
  readonly isSlow?: boolean
  open(bootstrap: string, login?: Login): Promise<Client | Missing>
}

/** The client has no such function: the scenario is skipped, with this reason. */
export class NotOffered extends Error {
  override readonly name = 'NotOffered'
}

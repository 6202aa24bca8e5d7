import type { InferInput, JoinGroupResponse, SyncGroupResponse } from '@millrace/wire'

export type JoinResult = InferInput<typeof JoinGroupResponse>
export type SyncResult = InferInput<typeof SyncGroupResponse>
/** Answers a request, at once or after it was parked. Called once; must not call back into the group. */
export type Reply<Result> = (result: Result) => void

export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface Member {
  readonly id: string
  /** group.instance.id of a static member. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** In the member's order of preference. */
  protocols: readonly Protocol[]
  assignment: Buffer
  /** The parked JoinGroup. Set through `Members`, which counts them. */
  parkedJoin: Reply<JoinResult> | null
  parkedSync: Reply<SyncResult> | null
  /** Its first JoinGroup is still parked, so it does not know its id and cannot send heartbeats. */
  isNew: boolean
  /** On the monotonic clock; Infinity while a parked request stands for the heartbeats. */
  sessionDeadlineMs: number
}

export function metadataOf(member: Member, protocolName: string | null): Buffer {
  const protocol = member.protocols.find(({ name }) => name === protocolName)
  return protocol?.metadata ?? Buffer.alloc(0)
}

/** Whether a member offers exactly these protocols, in this order. */
export function offersSame(member: Member, protocols: readonly Protocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(
      ({ name, metadata }, index) =>
        name === protocols[index].name && metadata.equals(protocols[index].metadata),
    )
  )
}

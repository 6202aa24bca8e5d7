import type { GroupMetadataValue } from '../../records/group-metadata'
import type { Member, Protocol } from './member'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface ClassicGroupOptions {
  /** How long an empty group waits for more members before its first rebalance. */
  readonly initialRebalanceDelayMs: number
  readonly maxSize: number
}

export interface JoinCommand {
  /** Empty for a member that has no id yet. */
  readonly memberId: string
  /** The id that a member without one gets. */
  readonly newMemberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  /** A new dynamic member is only told its id, and must join again with it (version 4 and later). */
  readonly isMemberIdRequired: boolean
  /** A leader that came back in a stable group is told to skip the assignment (version 9 and later). */
  readonly canSkipAssignment: boolean
}

export interface SyncCommand {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generationId: number
  /** Null: not checked. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface LeavingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** What must be durable before the group goes on: the owner writes it and reports by `onWritten` (GROUP-1). */
export type GroupWrite = { readonly value: GroupMetadataValue } & (
  | { readonly reason: 'empty' }
  | { readonly reason: 'assignment'; readonly assignments: ReadonlyMap<string, Buffer> }
  | { readonly reason: 'static-member'; readonly before: Member; readonly command: JoinCommand }
)

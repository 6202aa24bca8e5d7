import type { Random } from '@millrace/base'
import {
  ErrorCode,
  type HeartbeatRequest,
  type Infer,
  type InferInput,
  type JoinGroupRequest,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type SyncGroupRequest,
} from '@millrace/wire'
import { coordinatorErrorOf } from './append-error'
import type { Client } from './client'
import type { GroupOptions } from './config'
import type { ConsumerRequests } from './consumer-requests'
import { joinError, syncError } from './group/classic/answers'
import type { JoinCommand, LeavingMember } from './group/classic/commands'
import type { JoinResult, SyncResult } from './group/classic/member'
import { newMemberId } from './member-id'
import type { Shard } from './shard'

/** Version from which a request knows the field or the behaviour. */
const JOIN_MEMBER_ID_REQUIRED_VERSION = 4
const JOIN_NULL_PROTOCOL_VERSION = 7
const JOIN_SKIP_ASSIGNMENT_VERSION = 9
const LEAVE_BATCH_VERSION = 3

/** Answers what members of the classic protocol ask, of groups of either protocol. */
export class ClassicRequests {
  readonly #random: Random
  readonly #consumers: ConsumerRequests
  readonly #options: GroupOptions

  constructor(deps: { random: Random; consumers: ConsumerRequests }, options: GroupOptions) {
    this.#random = deps.random
    this.#consumers = deps.consumers
    this.#options = options
  }

  /** May be parked as long as the members' rebalance timeout. */
  async join(
    shard: Shard,
    request: Infer<typeof JoinGroupRequest>,
    client: Client,
  ): Promise<JoinResult> {
    const { groupId, memberId, sessionTimeoutMs } = request
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#options
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return joinError(memberId, ErrorCode.INVALID_SESSION_TIMEOUT)
    }
    const command = joinCommand(request, client, this.#random)
    try {
      if (shard.isMoving(groupId)) await shard.whenSettled(groupId)
      const group = shard.group(groupId)
      if (group?.type === 'consumer' && !group.isEmpty) {
        return await this.#consumers.joinAsClassic(shard, groupId, command)
      }
      const isCreator = memberId === ''
      if (group?.type === 'consumer' && isCreator) {
        await this.#consumers.removeEmpty(shard, groupId)
      }
      return await new Promise((reply) => {
        const stored = shard.run(groupId, (classic) => classic.join(command, reply), { isCreator })
        if (stored === null) reply(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID))
        stored?.catch(ignore)
      })
    } catch (error) {
      return joinError('', coordinatorErrorOf(error))
    }
  }

  /** May be parked until the leader's assignment is durable. */
  async sync(shard: Shard, request: Infer<typeof SyncGroupRequest>): Promise<SyncResult> {
    const { groupId } = request
    const command = { ...request, instanceId: request.groupInstanceId }
    try {
      if (shard.isMoving(groupId)) await shard.whenSettled(groupId)
      const group = shard.group(groupId)
      if (group?.type === 'consumer') return this.#consumers.syncAsClassic(shard, group, command)
      return await new Promise((reply) => {
        const stored = shard.run(groupId, (classic) => classic.sync(command, reply))
        if (stored === null) reply(syncError(ErrorCode.UNKNOWN_MEMBER_ID))
        stored?.catch(ignore)
      })
    } catch (error) {
      return syncError(coordinatorErrorOf(error))
    }
  }

  /** Returns an error code. */
  heartbeat(shard: Shard, request: Infer<typeof HeartbeatRequest>): number {
    const { groupId, memberId, groupInstanceId: instanceId, generationId } = request
    const group = shard.group(groupId)
    if (!group) return ErrorCode.UNKNOWN_MEMBER_ID
    const claim = { memberId, instanceId, generationId }
    return group.type === 'consumer'
      ? this.#consumers.heartbeatAsClassic(shard, group, claim)
      : group.heartbeat(claim)
  }

  async leave(
    shard: Shard,
    request: Infer<typeof LeaveGroupRequest>,
    apiVersion: number,
  ): Promise<InferInput<typeof LeaveGroupResponse>> {
    const isBatch = apiVersion >= LEAVE_BATCH_VERSION
    const members = isBatch
      ? request.members
      : [{ memberId: request.memberId, groupInstanceId: null }]
    let errors: number[]
    try {
      errors = await this.#leave(shard, request.groupId, members)
    } catch (failure) {
      return { errorCode: coordinatorErrorOf(failure), members: [] }
    }
    if (!isBatch) return { errorCode: errors[0], members: [] }
    return {
      errorCode: ErrorCode.NONE,
      members: members.map(({ memberId, groupInstanceId }, index) => ({
        memberId,
        groupInstanceId,
        errorCode: errors[index],
      })),
    }
  }

  async #leave(
    shard: Shard,
    groupId: string,
    members: readonly LeavingMember[],
  ): Promise<number[]> {
    if (shard.isMoving(groupId)) await shard.whenSettled(groupId)
    if (shard.group(groupId)?.type === 'consumer') {
      return this.#consumers.leaveAsClassic(shard, groupId, members)
    }
    let errors = members.map(() => ErrorCode.UNKNOWN_MEMBER_ID as number)
    await shard.run(groupId, (classic) => {
      const left = classic.leave(members)
      errors = left.errors
      return left.write
    })
    return errors
  }
}

/** The group learned of the failure, and answered the request. */
const ignore = () => undefined

function joinCommand(
  request: Infer<typeof JoinGroupRequest>,
  { clientId, clientHost, apiVersion }: Client,
  random: Random,
): JoinCommand {
  const { memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = request
  return {
    memberId,
    newMemberId: newMemberId(groupInstanceId ?? clientId, random),
    instanceId: groupInstanceId,
    clientId,
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    protocolType: request.protocolType,
    // The request's buffer is reused: what the group keeps is copied.
    protocols: request.protocols.map(({ name, metadata }) => ({
      name,
      metadata: Buffer.from(metadata),
    })),
    isMemberIdRequired: apiVersion >= JOIN_MEMBER_ID_REQUIRED_VERSION,
    canSkipAssignment: apiVersion >= JOIN_SKIP_ASSIGNMENT_VERSION,
  }
}

/** Before version 7 there is no null. */
export function joinAnswer(result: JoinResult, apiVersion: number): JoinResult {
  return apiVersion < JOIN_NULL_PROTOCOL_VERSION && result.protocolName === null
    ? { ...result, protocolName: '' }
    : result
}

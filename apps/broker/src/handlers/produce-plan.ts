import { batch, BATCH_HEADER_BYTES } from '@millrace/record'
import { toWireFailure, type AppendEntry } from '@millrace/replication'
import { AclOperation } from '@millrace/security'
import { ErrorCode, errorText, type ApiKey } from '@millrace/wire'
import { findTopic, partitionError } from './find-partition'
import type { RequestContext, RequestOf } from './handler'
import { isDamaged, takeProducedBatch } from './produced-batch'
import { topicRefusal } from './topic-rights'

type Request = RequestOf<typeof ApiKey.Produce>

export const FIRST_VERSION_BY_ID = 13
/** From here on a batch makes its partition part of the transaction by itself, and each transaction has an epoch of its own. */
const FIRST_VERSION_WITH_EPOCH_BUMP = 12
/** Kafka lets its admin client write to the coordinators' topics. */
const ADMIN_CLIENT_ID = '__admin_client'

/** One partition of the request, in the order of the request. */
export interface PlannedPartition {
  readonly index: number
  /** Not NONE: it is not appended. */
  errorCode: number
  /** Only what a coordinator refuses in its own way is told in words, as in Kafka. */
  errorMessage: string | null
  /** Null if it was refused. */
  entry: AppendEntry | null
}

/** Looks at everything that can be told without the log. */
export function planAppends(request: Request, ctx: RequestContext): PlannedPartition[] {
  const image = ctx.broker.metadata()
  const plan: PlannedPartition[] = []
  for (const { name, topicId, partitionData } of request.topicData) {
    const reference = { name, topicId, isById: ctx.apiVersion >= FIRST_VERSION_BY_ID }
    const found = findTopic(image, reference)
    const noRight = topicRefusal(ctx, AclOperation.WRITE, found, reference)
    for (const { index, records } of partitionData) {
      const refusal = noRight || partitionError(found, reference, index)
      if (refusal !== ErrorCode.NONE || !found) {
        plan.push(refused(index, refusal))
        continue
      }
      const produced = takeProducedBatch(records, ctx.apiVersion)
      if (produced.records === null) plan.push(refused(index, produced.errorCode))
      else if (found.isInternal && ctx.clientId !== ADMIN_CLIENT_ID)
        plan.push(refused(index, ErrorCode.INVALID_TOPIC_EXCEPTION))
      else {
        const entry = { topic: found.name, partition: index, records: produced.records }
        plan.push({ index, errorCode: ErrorCode.NONE, errorMessage: null, entry })
      }
    }
  }
  return plan
}

/** Whether the bytes for a partition cannot be a batch of any format: Kafka refuses the whole request then, unseen. */
export function hasDamagedBatch({ topicData }: Request): boolean {
  return topicData.some(({ partitionData }) =>
    partitionData.some(({ records }) => records !== null && isDamaged(records)),
  )
}

/** Whether any batch of the request says that it belongs to a transaction. */
export function hasTransactionalBatch({ topicData }: Request): boolean {
  return topicData.some(({ partitionData }) =>
    partitionData.some(({ records }) => records !== null && isTransactional(records)),
  )
}

/** Whether two producers' transactions are in one request, which has only one transactional id. */
export function hasTwoProducers(plan: readonly PlannedPartition[]): boolean {
  const ids = new Set<string>()
  for (const { entry } of plan) {
    if (entry === null || !isTransactional(entry.records)) continue
    ids.add(`${batch.producerId(entry.records, 0)} ${batch.producerEpoch(entry.records, 0)}`)
  }
  return ids.size > 1
}

export function hasTransactionalEntry(plan: readonly PlannedPartition[]): boolean {
  return plan.some(({ entry }) => entry !== null && isTransactional(entry.records))
}

/**
 * Asks the coordinator about the partitions in which the producer has no open transaction yet. What it does not agree to is
 * refused in the plan; the rest gets its guard, with which the log sees that nothing has ended the transaction since.
 */
export async function verifyTransactions(
  plan: readonly PlannedPartition[],
  transactionalId: string,
  ctx: RequestContext,
): Promise<void> {
  const asked = plan.filter((planned) => startVerification(planned, ctx))
  if (asked.length === 0) return
  const { records } = asked[0].entry!
  const errorCodes = await ctx.broker.txnVerifier.verifyProduce({
    transactionalId,
    producerId: batch.producerId(records, 0),
    producerEpoch: batch.producerEpoch(records, 0),
    apiVersion: ctx.apiVersion,
    partitions: asked.map(({ entry }) => ({ topic: entry!.topic, partition: entry!.partition })),
  })
  asked.forEach((planned, at) => {
    const errorCode = errorCodes[at]
    if (errorCode !== ErrorCode.NONE) refuse(planned, errorCode, messageOf(errorCode))
  })
}

/** Whether the coordinator must be asked. */
function startVerification(planned: PlannedPartition, ctx: RequestContext): boolean {
  const { entry } = planned
  if (entry === null || !isTransactional(entry.records)) return false
  const partition = ctx.broker.replicas.partition(entry.topic, entry.partition)
  if (!partition) return false // told by the append
  try {
    const guard = partition.log.startVerification({
      producerId: batch.producerId(entry.records, 0),
      producerEpoch: batch.producerEpoch(entry.records, 0),
      baseSequence: batch.baseSequence(entry.records, 0),
      supportsEpochBump: ctx.apiVersion >= FIRST_VERSION_WITH_EPOCH_BUMP,
    })
    if (guard !== null) planned.entry = { ...entry, verification: guard }
    return guard !== null
  } catch (error) {
    refuse(planned, toWireFailure(error).errorCode)
    return false
  }
}

export function refuse(
  planned: PlannedPartition,
  errorCode: number,
  errorMessage: string | null = null,
): void {
  planned.errorCode = errorCode
  planned.errorMessage = errorMessage
  planned.entry = null
}

/** These two stand for other reasons than those they are named after. */
function messageOf(errorCode: number): string | null {
  const isInPlaceOfAnother =
    errorCode === ErrorCode.INVALID_TXN_STATE || errorCode === ErrorCode.NOT_ENOUGH_REPLICAS
  return isInPlaceOfAnother ? errorText(errorCode) : null
}

function refused(index: number, errorCode: number): PlannedPartition {
  return { index, errorCode, errorMessage: null, entry: null }
}

function isTransactional(records: Buffer): boolean {
  return (
    records.length >= BATCH_HEADER_BYTES &&
    batch.producerId(records, 0) >= 0 &&
    batch.isTransactional(records, 0)
  )
}

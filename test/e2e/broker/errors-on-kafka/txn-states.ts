import { ApiKey } from '@millrace/wire'
import { plainBatch } from './batches'
import { produceRequest } from './produce-cases'
import type { Script, Topic } from './script'
import { until } from '../../wait'

/** A transactional id as a scenario finds it, and who has it. */
export interface Txn {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly topic: Topic
}

export async function begun(on: Script, topic: Topic): Promise<Txn> {
  const transactionalId = on.name
  const request = { transactionalId, transactionTimeoutMs: 60_000 }
  const { producerId, producerEpoch } = await on.quietly(ApiKey.InitProducerId, 4, request)
  return { transactionalId, producerId, producerEpoch, topic }
}

async function opened(on: Script, topic: Topic): Promise<Txn> {
  const txn = await begun(on, topic)
  await on.quietly(ApiKey.AddPartitionsToTxn, 3, {
    transactions: [],
    v3AndBelowTransactionalId: txn.transactionalId,
    v3AndBelowProducerId: txn.producerId,
    v3AndBelowProducerEpoch: txn.producerEpoch,
    v3AndBelowTopics: [{ name: topic.name, partitions: [0] }],
  })
  return txn
}

async function written(on: Script, topic: Topic): Promise<Txn> {
  const txn = await opened(on, topic)
  const { producerId, producerEpoch, transactionalId } = txn
  const producer = { producerId, producerEpoch, baseSequence: 0 }
  const records = plainBatch({ producer, isTransactional: true })
  await on.quietly(ApiKey.Produce, 9, produceRequest(topic, records, { transactionalId }))
  return txn
}

async function ended(on: Script, topic: Topic, committed: boolean, version: number): Promise<Txn> {
  const txn = await written(on, topic)
  const { transactionalId, producerId, producerEpoch } = txn
  const request = { transactionalId, producerId, producerEpoch, committed }
  const answer = await on.quietly(ApiKey.EndTxn, version, request)
  await untilComplete(on, transactionalId)
  return version < 5 ? txn : { ...txn, ...answer }
}

/** An end is answered before its markers are written. */
export async function untilComplete(on: Script, transactionalId: string): Promise<void> {
  const request = { transactionalIds: [transactionalId] }
  await until(async () => {
    const { transactionStates } = await on.quietly(ApiKey.DescribeTransactions, 0, request)
    return transactionStates[0].transactionState.startsWith('Complete')
  })
}

export const txnStates: Record<string, (on: Script, topic: Topic) => Promise<Txn>> = {
  'an id that nobody has': async (on, topic) => ({
    transactionalId: on.name,
    producerId: 987_654_321,
    producerEpoch: 0,
    topic,
  }),
  'an id without transaction': begun,
  'an open transaction': opened,
  'a transaction with records': written,
  'a committed transaction': (on, topic) => ended(on, topic, true, 3),
  'an aborted transaction': (on, topic) => ended(on, topic, false, 3),
  'a committed transaction of a newer client': (on, topic) => ended(on, topic, true, 5),
  'an aborted transaction of a newer client': (on, topic) => ended(on, topic, false, 5),
}

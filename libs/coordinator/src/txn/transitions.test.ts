import { errorName } from '@millrace/wire'
import { listPartitions, NO_PARTITIONS, withPartitions } from './partitions'
import { newTransaction, type Transaction, type TxnState } from './transaction'
import {
  addPartitions,
  complete,
  type Decision,
  endTransaction,
  fence,
  initProducer,
  isExpired,
  isTimedOut,
  verifyPartition,
} from './transitions'

const NOW = 1000
const moment = { now: NOW, isStoring: false, newProducerId: null }
const EXHAUSTED = 32766
const T0 = { topic: 't', partition: 0 }
const T1 = { topic: 't', partition: 1 }

function aTransaction(fields: Partial<Transaction> = {}): Transaction {
  const created = newTransaction({ transactionalId: 'x', producerId: 7, timeoutMs: 60, now: 1 })
  const isOpen = fields.state === 'Ongoing' || fields.state?.startsWith('Prepare')
  const partitions = isOpen ? withPartitions(NO_PARTITIONS, [T0]) : NO_PARTITIONS
  return { ...created, producerEpoch: 3, startTimestamp: 5, partitions, ...fields }
}

/** The name of the error, or the state that is to be stored. */
function outcome(decision: Decision): string | Transaction {
  if (decision.type === 'answer') return errorName(decision.error)
  return decision.type === 'store' ? decision.next : decision.type
}

describe('a producer that begins', () => {
  const init = (
    fields: Partial<Transaction>,
    claim: { producerId: number; producerEpoch: number } | null = null,
    more: Partial<typeof moment> | { newProducerId: number } = {},
  ) =>
    outcome(
      initProducer(
        aTransaction(fields),
        { timeoutMs: 99, claim, serverVersion: 2 },
        { ...moment, ...more },
      ),
    )

  it('gets epoch 0 when its transactional id is new', () => {
    expect(init({ producerEpoch: -1 })).toMatchObject({
      state: 'Empty',
      producerEpoch: 0,
      timeoutMs: 99,
    })
  })

  it.each<TxnState>(['Empty', 'CompleteCommit', 'CompleteAbort'])(
    'gets the next epoch in state %s',
    (state) => {
      expect(init({ state })).toMatchObject({
        state: 'Empty',
        producerId: 7,
        producerEpoch: 4,
        lastProducerEpoch: -1,
        startTimestamp: -1,
      })
    },
  )

  it('aborts what its predecessor has open, whose epoch is over with it', () => {
    expect(init({ state: 'Ongoing' })).toMatchObject({
      state: 'PrepareAbort',
      producerEpoch: 4,
      lastProducerEpoch: 3,
      clientVersion: 2,
    })
  })

  it.each<TxnState>(['PrepareCommit', 'PrepareAbort'])('has to wait in state %s', (state) => {
    expect(init({ state })).toBe('CONCURRENT_TRANSACTIONS')
  })

  it('has to wait while a state is being stored', () => {
    expect(init({}, null, { isStoring: true })).toBe('CONCURRENT_TRANSACTIONS')
  })

  it('gets a new producer id when the epochs are used up', () => {
    const used = { producerEpoch: EXHAUSTED }
    expect(init(used)).toBe('needs-producer-id')
    expect(init(used, null, { newProducerId: 8 })).toMatchObject({
      producerId: 8,
      previousProducerId: 7,
      producerEpoch: 0,
      lastProducerEpoch: -1,
    })
  })

  it('that says who it is gets the next epoch, and the same one again if it repeats itself', () => {
    const claim = { producerId: 7, producerEpoch: 3 }
    const next = init({}, claim) as Transaction
    expect(next).toMatchObject({ producerEpoch: 4, lastProducerEpoch: 3 })
    expect(init(next, claim)).toMatchObject({ producerEpoch: 4, lastProducerEpoch: 3 })
  })

  it('that says who it is gets the new producer id again if it repeats itself', () => {
    const claim = { producerId: 7, producerEpoch: EXHAUSTED }
    const more = { newProducerId: 8 }
    const next = init({ producerEpoch: EXHAUSTED }, claim, more) as Transaction
    expect(next).toMatchObject({ producerId: 8, producerEpoch: 0, lastProducerEpoch: EXHAUSTED })
    expect(init(next, claim)).toMatchObject({ producerId: 8, producerEpoch: 0 })
  })

  it.each([
    ['another producer id', { producerId: 6, producerEpoch: 3 }],
    ['an older epoch', { producerId: 7, producerEpoch: 1 }],
    ['an epoch that nobody was given', { producerId: 7, producerEpoch: 9 }],
  ])('is fenced if it says %s', (_, claim) => {
    expect(init({ lastProducerEpoch: 2 }, claim)).toBe('PRODUCER_FENCED')
  })

  it('is let in with any claim after its transactional id was forgotten', () => {
    const claim = { producerId: 2, producerEpoch: 9 }
    expect(init({ producerEpoch: -1 }, claim)).toMatchObject({ producerId: 7, producerEpoch: 0 })
  })
})

describe('adding partitions', () => {
  const add = (fields: Partial<Transaction>, producerEpoch = 3, isStoring = false) =>
    outcome(
      addPartitions(
        aTransaction(fields),
        { producerId: 7, producerEpoch, partitions: [T0, T1], clientVersion: 2 },
        { ...moment, isStoring },
      ),
    )

  it.each<TxnState>(['Empty', 'CompleteCommit', 'CompleteAbort'])(
    'begins a transaction in state %s',
    (state) => {
      const next = add({ state }) as Transaction
      expect(next).toMatchObject({ state: 'Ongoing', startTimestamp: NOW, clientVersion: 2 })
      expect(listPartitions(next.partitions)).toEqual([T0, T1])
    },
  )

  it('goes on with the one that is open', () => {
    const next = add({ state: 'Ongoing' }) as Transaction
    expect(next).toMatchObject({ startTimestamp: 5, lastUpdateTimestamp: NOW })
    expect(listPartitions(next.partitions)).toEqual([T0, T1])
  })

  it('writes nothing if they are in it', () => {
    const partitions = withPartitions(NO_PARTITIONS, [T0, T1])
    expect(add({ state: 'Ongoing', partitions })).toBe('NONE')
  })

  it.each([
    ['CONCURRENT_TRANSACTIONS', { state: 'PrepareCommit' }, 3],
    ['CONCURRENT_TRANSACTIONS', { state: 'PrepareAbort' }, 1],
    ['INVALID_PRODUCER_ID_MAPPING', { producerId: 8 }, 3],
    ['PRODUCER_FENCED', {}, 2],
    ['PRODUCER_FENCED', {}, 4],
  ] as const)('is answered by %s: %j, epoch %i', (expected, fields, epoch) => {
    expect(add(fields, epoch)).toBe(expected)
  })

  it('has to wait while a state is being stored', () => {
    expect(add({}, 3, true)).toBe('CONCURRENT_TRANSACTIONS')
  })
})

describe('verifying a partition', () => {
  const verify = (fields: Partial<Transaction>, partition = T0, producerEpoch = 3) =>
    errorName(verifyPartition(aTransaction(fields), { producerId: 7, producerEpoch }, partition))

  it('agrees to what was added', () => {
    expect(verify({ state: 'Ongoing' })).toBe('NONE')
    expect(verify({ state: 'Ongoing' }, T1)).toBe('TRANSACTION_ABORTABLE')
    expect(verify({ state: 'CompleteCommit' })).toBe('TRANSACTION_ABORTABLE')
  })

  it('refuses others, and what is about to end', () => {
    expect(verify({ state: 'Ongoing', producerId: 8 })).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(verify({ state: 'Ongoing' }, T0, 2)).toBe('PRODUCER_FENCED')
    expect(verify({ state: 'PrepareAbort' })).toBe('CONCURRENT_TRANSACTIONS')
  })
})

describe('the end of a transaction in the older protocol', () => {
  const end = (isCommit: boolean, fields: Partial<Transaction>, producerEpoch = 3) =>
    outcome(
      endTransaction(
        aTransaction(fields),
        { producerId: 7, producerEpoch, isCommit, clientVersion: 0 },
        moment,
      ),
    )

  it('keeps the epoch', () => {
    expect(end(true, { state: 'Ongoing' })).toMatchObject({
      state: 'PrepareCommit',
      producerEpoch: 3,
    })
    expect(end(false, { state: 'Ongoing' })).toMatchObject({ state: 'PrepareAbort' })
  })

  it.each([
    ['commit', 'CompleteCommit', 'NONE'],
    ['abort', 'CompleteCommit', 'INVALID_TXN_STATE'],
    ['abort', 'CompleteAbort', 'NONE'],
    ['commit', 'CompleteAbort', 'INVALID_TXN_STATE'],
    ['commit', 'Empty', 'INVALID_TXN_STATE'],
    ['abort', 'Empty', 'INVALID_TXN_STATE'],
    ['commit', 'PrepareCommit', 'CONCURRENT_TRANSACTIONS'],
    ['abort', 'PrepareAbort', 'CONCURRENT_TRANSACTIONS'],
  ] as const)('that is a %s in state %s is answered by %s', (type, state, expected) => {
    expect(end(type === 'commit', { state })).toBe(expected)
  })

  it('is for the owner only', () => {
    expect(end(true, { state: 'Ongoing' }, 2)).toBe('PRODUCER_FENCED')
    expect(end(true, { state: 'Ongoing' }, 4)).toBe('PRODUCER_FENCED')
    expect(end(true, { state: 'Ongoing', producerId: 8 })).toBe('INVALID_PRODUCER_ID_MAPPING')
  })
})

describe('the end of a transaction in the newer protocol', () => {
  const end = (
    isCommit: boolean,
    fields: Partial<Transaction>,
    producerEpoch = 3,
    newProducerId: number | null = null,
  ) =>
    outcome(
      endTransaction(
        aTransaction(fields),
        { producerId: 7, producerEpoch, isCommit, clientVersion: 2 },
        { ...moment, newProducerId },
      ),
    )
  it('bumps the epoch', () => {
    const next = end(true, { state: 'Ongoing' }) as Transaction
    expect(next).toMatchObject({ state: 'PrepareCommit', producerEpoch: 4, lastProducerEpoch: 3 })
    expect(complete(next, NOW)).toMatchObject({
      state: 'CompleteCommit',
      producerId: 7,
      producerEpoch: 4,
    })
  })

  // Kafka's table: a repeated request has the epoch before, the next one has the present one.
  it.each([
    ['Empty', 'abort', 'repeated', 'PRODUCER_FENCED'],
    ['Empty', 'commit', 'repeated', 'PRODUCER_FENCED'],
    ['Empty', 'commit', 'present', 'INVALID_TXN_STATE'],
    ['CompleteAbort', 'abort', 'repeated', 'NONE'],
    ['CompleteAbort', 'commit', 'repeated', 'INVALID_TXN_STATE'],
    ['CompleteAbort', 'commit', 'present', 'INVALID_TXN_STATE'],
    ['CompleteCommit', 'abort', 'repeated', 'INVALID_TXN_STATE'],
    ['CompleteCommit', 'commit', 'repeated', 'NONE'],
    ['CompleteCommit', 'commit', 'present', 'INVALID_TXN_STATE'],
    ['PrepareCommit', 'commit', 'repeated', 'CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', 'abort', 'repeated', 'CONCURRENT_TRANSACTIONS'],
  ] as const)('in state %s, %s, %s: %s', (state, type, epoch, expected) => {
    expect(end(type === 'commit', { state }, epoch === 'present' ? 3 : 2)).toBe(expected)
  })

  it.each<TxnState>(['Empty', 'CompleteAbort', 'CompleteCommit'])(
    'in state %s, an abort in doubt bumps the epoch',
    (state) => {
      expect(end(false, { state })).toMatchObject({
        state: 'PrepareAbort',
        producerEpoch: 4,
        startTimestamp: NOW,
      })
    },
  )

  it('TXN-3: does not end a later transaction when it comes late', () => {
    expect(end(true, { state: 'Ongoing' }, 2)).toBe('PRODUCER_FENCED')
    expect(end(false, { state: 'Ongoing' }, 2)).toBe('PRODUCER_FENCED')
    expect(end(false, { state: 'Empty' }, 1)).toBe('PRODUCER_FENCED')
  })

  it('goes on with a new producer id when the epochs are used up, also when it is repeated', () => {
    const fields = { state: 'Ongoing' as const, producerEpoch: EXHAUSTED }
    expect(end(true, fields, EXHAUSTED)).toBe('needs-producer-id')
    const next = end(true, fields, EXHAUSTED, 8) as Transaction
    expect(next).toMatchObject({ producerId: 7, producerEpoch: 32767, nextProducerId: 8 })
    const completed = complete(next, NOW)
    expect(completed).toMatchObject({
      producerId: 8,
      producerEpoch: 0,
      previousProducerId: 7,
      nextProducerId: -1,
    })
    expect(end(true, completed, EXHAUSTED)).toBe('NONE')
    expect(end(false, completed, EXHAUSTED)).toBe('INVALID_TXN_STATE')
  })

  it('is for the owner only', () => {
    expect(end(true, { state: 'Ongoing', producerId: 8 })).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(end(true, { state: 'Ongoing' }, 4)).toBe('PRODUCER_FENCED')
  })
})

describe('fencing', () => {
  it('bumps the epoch in both generations of the protocol', () => {
    const txn = aTransaction({ state: 'Ongoing' })
    for (const version of [1, 2]) {
      expect(outcome(fence(txn, version, moment))).toMatchObject({
        state: 'PrepareAbort',
        producerEpoch: 4,
      })
    }
  })

  it('takes the last epoch there is, and a new producer id with the newer protocol', () => {
    const txn = aTransaction({ state: 'Ongoing', producerEpoch: EXHAUSTED })
    expect(outcome(fence(txn, 1, moment))).toMatchObject({ producerEpoch: 32767 })
    expect(outcome(fence(txn, 2, moment))).toBe('needs-producer-id')
    const again = aTransaction({ state: 'Ongoing', producerEpoch: 32767 })
    expect(outcome(fence(again, 1, moment))).toMatchObject({ producerEpoch: 32767 })
  })
})

describe('time', () => {
  it('is over for an open transaction after its timeout only', () => {
    const open = aTransaction({ state: 'Ongoing', startTimestamp: 100, timeoutMs: 50 })
    expect(isTimedOut(open, 150)).toBe(false)
    expect(isTimedOut(open, 151)).toBe(true)
    expect(isTimedOut({ ...open, state: 'PrepareCommit' }, 151)).toBe(false)
  })

  it.each<[TxnState, boolean]>([
    ['Empty', true],
    ['CompleteCommit', true],
    ['CompleteAbort', true],
    ['Ongoing', false],
    ['PrepareCommit', false],
    ['PrepareAbort', false],
  ])('makes an unused transactional id in state %s expire: %s', (state, expected) => {
    const txn = aTransaction({ state, lastUpdateTimestamp: 100 })
    expect(isExpired(txn, 200, 100)).toBe(expected)
    expect(isExpired(txn, 199, 100)).toBe(false)
  })
})

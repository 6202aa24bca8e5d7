import { NO_PARTITIONS, withPartitions } from '../txn/partitions'
import type { Transaction } from '../txn/transaction'
import { decodeTransaction, encodeTransaction, transactionTombstone } from './transaction-log'

const hex = (...fields: string[]) => Buffer.from(fields.join('').replaceAll(' ', ''), 'hex')

const transaction: Transaction = {
  transactionalId: 'x',
  producerId: 258,
  previousProducerId: 257,
  nextProducerId: -1,
  producerEpoch: 3,
  lastProducerEpoch: -1,
  timeoutMs: 60_000,
  state: 'Ongoing',
  partitions: withPartitions(NO_PARTITIONS, [
    { topic: 't', partition: 0 },
    { topic: 't', partition: 5 },
  ]),
  startTimestamp: 1,
  lastUpdateTimestamp: 2,
  clientVersion: 2,
}
const KEY = hex('0000 0001 78') // type, transactional id

describe('a record of a transactional id', () => {
  it('has the bytes of version 1', () => {
    const { key, value } = encodeTransaction(transaction, 1)
    expect(key).toEqual(KEY)
    expect(value).toEqual(
      hex(
        '0001', // version
        '0000000000000102', // producer id
        '0003', // producer epoch
        '0000ea60', // timeout
        '01', // Ongoing
        '02', // one topic
        '02 74', // its name
        '03 00000000 00000005', // two partitions
        '00', // no tags of the topic
        '0000000000000002', // last update
        '0000000000000001', // start
        '02', // two tags
        '00 08 0000000000000101', // 0: previous producer id
        '02 02 0002', // 2: client's version
      ),
    )
  })

  it('has the bytes of version 0 while the cluster is at transaction.version 0', () => {
    const { value } = encodeTransaction({ ...transaction, state: 'Empty' }, 0)
    expect(value).toEqual(
      hex(
        '0000', // version
        '0000000000000102', // producer id
        '0003', // producer epoch
        '0000ea60', // timeout
        '00', // Empty
        'ffffffff', // partitions: null
        '0000000000000002', // last update
        '0000000000000001', // start
      ),
    )
  })

  it.each([0, 1] as const)('is read back from version %i', (version) => {
    const decoded = decodeTransaction(encodeTransaction(transaction, version))
    const older = version === 0 ? { previousProducerId: -1, clientVersion: 0 } : {}
    expect(decoded).toEqual({ transactionalId: 'x', transaction: { ...transaction, ...older } })
  })

  it('is removed by a tombstone', () => {
    expect(transactionTombstone('x')).toEqual({ key: KEY, value: null })
    expect(decodeTransaction({ key: KEY, value: null })).toEqual({
      transactionalId: 'x',
      transaction: null,
    })
  })

  it('is left alone if it is of an unknown type, version or state', () => {
    const { value } = encodeTransaction(transaction, 1)
    expect(decodeTransaction({ key: hex('0001 0001 78'), value })).toBeNull()
    expect(decodeTransaction({ key: KEY, value: hex('0002 00') })).toBeNull()
    const dead = Buffer.from(value!)
    dead[16] = 6
    expect(decodeTransaction({ key: KEY, value: dead })).toBeNull()
  })
})

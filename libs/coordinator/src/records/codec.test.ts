import { ZERO_UUID } from '@millrace/wire'
import { decodeRecord, encodeRecord, type GroupRecord } from './codec'

const hex = (...fields: string[]) => Buffer.from(fields.join('').replaceAll(' ', ''), 'hex')

const offset = (value: object): GroupRecord => ({
  type: 'offset',
  key: { group: 'g', topic: 't', partition: 5 },
  value: {
    offset: 258,
    leaderEpoch: 7,
    metadata: 'm',
    commitTimestamp: 1,
    expireTimestamp: -1,
    topicId: ZERO_UUID,
    ...value,
  },
})
const OFFSET_KEY = hex(
  '0001', // type
  '0001 67', // group
  '0001 74', // topic
  '00000005', // partition
)

describe('an offset record', () => {
  it('has the bytes of version 4', () => {
    const record = encodeRecord(offset({ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }))
    expect(record.key).toEqual(OFFSET_KEY)
    expect(record.value).toEqual(
      hex(
        '0004', // version
        '0000000000000102', // offset
        '00000007', // leader epoch
        '02 6d', // metadata
        '0000000000000001', // commit timestamp
        '01 00 10 00000000000000000000000000000001', // one tag: 0, 16 bytes, topic id
      ),
    )
  })

  it('falls back to version 1 for a time of expiry', () => {
    const { value } = encodeRecord(offset({ expireTimestamp: 2 }))
    expect(value).toEqual(
      hex('0001', '0000000000000102', '0001 6d', '0000000000000001', '0000000000000002'),
    )
  })

  it.each([
    ['0', hex('0000', '0000000000000102', '0001 6d', '0000000000000001'), { leaderEpoch: -1 }],
    ['3', hex('0003', '0000000000000102', '00000007', '0001 6d', '0000000000000001'), {}],
  ])('is read in version %s', (_, value, expected) => {
    expect(decodeRecord({ key: OFFSET_KEY, value })).toEqual(offset(expected))
  })

  it('is read with the key type of old, and as a tombstone', () => {
    const key = Buffer.concat([hex('0000'), OFFSET_KEY.subarray(2)])
    expect(decodeRecord({ key, value: null })).toMatchObject({ type: 'offset', value: null })
  })
})

describe('a group record', () => {
  const group: GroupRecord = {
    type: 'group',
    groupId: 'g',
    value: {
      protocolType: 'consumer',
      generation: 3,
      protocol: 'range',
      leader: 'm1',
      currentStateTimestamp: 9,
      members: [
        {
          memberId: 'm1',
          groupInstanceId: 'i',
          clientId: 'c',
          clientHost: '/h',
          rebalanceTimeout: 2,
          sessionTimeout: 1,
          subscription: Buffer.from([1, 2]),
          assignment: Buffer.from([3]),
        },
      ],
    },
  }

  it('has the bytes of version 3', () => {
    const record = encodeRecord(group)
    expect(record.key).toEqual(hex('0002', '0001 67'))
    expect(record.value).toEqual(
      hex(
        '0003', // version
        '0008 636f6e73756d6572', // protocol type
        '00000003', // generation
        '0005 72616e6765', // protocol
        '0002 6d31', // leader
        '0000000000000009', // current state timestamp
        '00000001', // members
        '0002 6d31', // member id
        '0001 69', // group instance id
        '0001 63', // client id
        '0002 2f68', // client host
        '00000002', // rebalance timeout
        '00000001', // session timeout
        '00000002 0102', // subscription
        '00000001 03', // assignment
      ),
    )
    expect(decodeRecord(record)).toEqual(group)
  })
})

describe('records of a consumer group', () => {
  const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const topicId = '00000000000000000000000000000001'

  it.each<[string, GroupRecord, key: Buffer, value: Buffer]>([
    [
      'its epoch',
      { type: 'consumer-group', groupId: 'g', value: { epoch: 2, metadataHash: 258 } },
      hex('0003', '0001 67'),
      hex('0000', '00000002', '01 00 08 0000000000000102'), // one tag: 0, the hash
    ],
    [
      'the epoch of its target',
      {
        type: 'target-epoch',
        groupId: 'g',
        value: { assignmentEpoch: 2, assignmentTimestamp: 9 },
      },
      hex('0006', '0001 67'),
      hex('0000', '00000002', '01 00 08 0000000000000009'),
    ],
    [
      'a member',
      {
        type: 'consumer-member',
        groupId: 'g',
        memberId: 'm',
        value: {
          instanceId: null,
          rackId: 'r',
          clientId: 'c',
          clientHost: '/h',
          subscribedTopicNames: ['t'],
          subscribedTopicRegex: '',
          rebalanceTimeoutMs: 5,
          serverAssignor: null,
          classicMemberMetadata: {
            sessionTimeoutMs: 6,
            supportedProtocols: [{ name: 'p', metadata: Buffer.from([7]) }],
          },
        },
      },
      hex('0005', '0001 67', '0001 6d'),
      hex(
        '0000', // version
        '00 02 72', // no instance, rack
        '02 63 03 2f68', // client id, host
        '02 02 74', // one topic
        '01', // no pattern
        '00000005', // rebalance timeout
        '00', // no assignor
        '01 00 0c 01 00000006 02 02 70 02 07 00 00', // one tag: 0, 12 bytes: it is there, session timeout, one protocol
      ),
    ],
    [
      'the target of a member',
      {
        type: 'target-member',
        groupId: 'g',
        memberId: 'm',
        value: { topicPartitions: [{ topicId: TOPIC_ID, partitions: [0, 3] }] },
      },
      hex('0007', '0001 67', '0001 6d'),
      hex('0000', '02', topicId, '03 00000000 00000003', '00', '00'),
    ],
    [
      'what a member has',
      {
        type: 'current-assignment',
        groupId: 'g',
        memberId: 'm',
        value: {
          memberEpoch: 4,
          previousMemberEpoch: 3,
          state: 1,
          assignedPartitions: [{ topicId: TOPIC_ID, partitions: [3], assignmentEpochs: [2] }],
          partitionsPendingRevocation: [],
        },
      },
      hex('0008', '0001 67', '0001 6d'),
      hex(
        '0000', // version
        '00000004 00000003 01', // epochs, state
        '02', // one topic
        topicId,
        '02 00000003', // one partition
        '01 00 05 02 00000002', // one tag: 0, 5 bytes: one epoch
        '01 00', // nothing to give up
      ),
    ],
    [
      'a pattern',
      {
        type: 'regular-expression',
        groupId: 'g',
        regularExpression: 'a*',
        value: { topics: ['t'], version: 5, timestamp: 6 },
      },
      hex('0010', '0001 67', '0002 612a'),
      hex('0000', '02 02 74', '0000000000000005', '0000000000000006', '00'),
    ],
  ])('have the bytes of Kafka: %s', (_, record, key, value) => {
    expect(encodeRecord(record)).toEqual({ key, value })
    expect(decodeRecord({ key, value })).toEqual(record)
    expect(decodeRecord({ key, value: null })).toEqual({ ...record, value: null })
  })

  it('from before 4.3 have no epoch for each partition', () => {
    const value = hex('0000', '00000004 00000003 00', '02', topicId, '02 00000003 00', '01 00')
    const key = hex('0008', '0001 67', '0001 6d')
    expect(decodeRecord({ key, value })).toMatchObject({
      value: { assignedPartitions: [{ partitions: [3], assignmentEpochs: null }] },
    })
  })
})

it('leaves records of unknown group types alone', () => {
  expect(decodeRecord({ key: hex('0009', '0001 67'), value: hex('0000 00000001') })).toBeNull()
  expect(decodeRecord({ key: hex('00'), value: null })).toBeNull()
})

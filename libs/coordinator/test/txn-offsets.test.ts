import { ErrorCode, errorName } from '@millrace/wire'
import { aGroupWorld, type GroupWorld } from './support/group-world'

const GROUP = 'g'
const LATEST = { apiVersion: 8 }
const A = { producerId: 1, producerEpoch: 0 }
const B = { producerId: 2, producerEpoch: 0 }

let world: GroupWorld
beforeEach(async () => {
  world = await aGroupWorld()
})
afterEach(() => world.coordinator.stop())

const topicsOf = (offset: number, more: object = {}) => [
  {
    name: 't',
    partitions: [
      {
        partitionIndex: 0,
        committedOffset: offset,
        committedLeaderEpoch: -1,
        committedMetadata: '',
        ...more,
      },
    ],
  },
]

async function commitIn(
  producer: typeof A,
  offset: number,
  member: { memberId?: string; generationId?: number; metadata?: string } = {},
): Promise<string> {
  const { memberId = '', generationId = -1, metadata = '' } = member
  const { topics } = await world.coordinator.txnOffsetCommit(
    {
      transactionalId: 'x',
      groupId: GROUP,
      ...producer,
      memberId,
      generationId,
      groupInstanceId: null,
      topics: topicsOf(offset, { committedMetadata: metadata }),
    },
    undefined,
  )
  return errorName(topics![0].partitions![0].errorCode)
}

async function commit(offset: number): Promise<void> {
  const member = { memberId: '', generationIdOrMemberEpoch: -1, groupInstanceId: null }
  const topics = topicsOf(offset).map((topic) => ({ ...topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }))
  const request = { groupId: GROUP, ...member, retentionTimeMs: -1, topics }
  await world.coordinator.offsetCommit(request, { apiVersion: 8 })
}

function end(producer: typeof A, isCommit: boolean): Promise<number> {
  return world.coordinator.endTransaction(0, {
    ...producer,
    coordinatorEpoch: 0,
    isCommit,
    transactionVersion: 0,
  })
}

/** The committed offset, -1 if there is none, or the name of an error. */
function fetched({ requireStable = false, isAll = false } = {}): number | string {
  const topics = isAll
    ? null
    : [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionIndexes: [0] }]
  const group = { groupId: GROUP, memberId: null, memberEpoch: -1, topics }
  const request = { groupId: '', topics: null, groups: [group], requireStable }
  const answer = world.coordinator.offsetFetch(request, LATEST)
  const found = answer.groups![0].topics![0]?.partitions![0]
  if (!found) return -1
  const { errorCode = 0, committedOffset = -1 } = found
  return errorCode === ErrorCode.NONE ? committedOffset : errorName(errorCode)
}

describe('offsets in a transaction', () => {
  it('TXN-5: count from its commit marker on', async () => {
    await commit(1)
    expect(await commitIn(A, 5)).toBe('NONE')
    expect(fetched()).toBe(1)
    expect(await end(A, true)).toBe(ErrorCode.NONE)
    expect(fetched()).toBe(5)
  })

  it('TXN-5: never count if it is aborted', async () => {
    await commit(1)
    await commitIn(A, 5)
    await end(A, false)
    expect(fetched({ requireStable: true })).toBe(1)
    await end(A, true)
    expect(fetched()).toBe(1)
  })

  it('make a reader who needs a stable offset ask again', async () => {
    await commit(1)
    await commitIn(A, 5)
    expect(fetched({ requireStable: true })).toBe('UNSTABLE_OFFSET_COMMIT')
    expect(fetched({ requireStable: true, isAll: true })).toBe('UNSTABLE_OFFSET_COMMIT')
    await end(A, true)
    expect(fetched({ requireStable: true })).toBe(5)
  })

  it('give way to an offset that was committed after them', async () => {
    await commitIn(A, 5)
    await commit(9)
    expect(fetched({ requireStable: true })).toBe('UNSTABLE_OFFSET_COMMIT')
    await end(A, true)
    expect(fetched({ requireStable: true })).toBe(9)
  })

  it('of two transactions count in the order in which they were written', async () => {
    await commitIn(A, 5)
    await commitIn(B, 7)
    await end(B, true)
    expect(fetched()).toBe(7)
    expect(fetched({ requireStable: true })).toBe('UNSTABLE_OFFSET_COMMIT')
    await end(A, true)
    expect(fetched({ requireStable: true })).toBe(7)
  })

  it.each([true, false])('TXN-5: are the same after a restart, committed: %s', async (isCommit) => {
    await commit(1)
    await commitIn(A, 5)
    world = await world.restart()
    expect(fetched()).toBe(1)
    expect(fetched({ requireStable: true })).toBe('UNSTABLE_OFFSET_COMMIT')
    await end(A, isCommit)
    const expected = isCommit ? 5 : 1
    expect(fetched({ requireStable: true })).toBe(expected)
    world = await world.restart()
    expect(fetched({ requireStable: true })).toBe(expected)
  })

  it('give way to a later offset also after a restart', async () => {
    await commitIn(A, 5)
    await commitIn(B, 7)
    await end(B, true)
    await commit(9)
    world = await world.restart()
    await end(A, true)
    expect(fetched({ requireStable: true })).toBe(9)
  })

  it('go with their group', async () => {
    await commitIn(A, 5)
    await world.coordinator.deleteGroups([GROUP])
    await end(A, true)
    expect(fetched({ requireStable: true })).toBe(-1)
  })

  it('go with their topic', async () => {
    await commit(1)
    await commitIn(A, 5)
    await world.coordinator.removeOffsetsOfTopic('t')
    await end(A, true)
    expect(fetched({ requireStable: true })).toBe(-1)
    world = await world.restart()
    expect(fetched({ requireStable: true })).toBe(-1)
  })

  it('do not expire, nor what they may replace, while it is open', async () => {
    await commit(1)
    await commitIn(A, 5)
    await world.clock.advance(8 * 24 * 3_600_000)
    expect(fetched()).toBe(1)
    await end(A, true)
    expect(fetched()).toBe(5)
    await world.clock.advance(600_000)
    expect(fetched()).toBe(-1)
  })

  it('are refused with too much metadata', async () => {
    expect(await commitIn(A, 5, { metadata: 'x'.repeat(4097) })).toBe('OFFSET_METADATA_TOO_LARGE')
  })

  it('are refused from a generation of a group that does not exist', async () => {
    expect(await commitIn(A, 5, { memberId: 'm', generationId: 1 })).toBe('ILLEGAL_GENERATION')
  })

  it('are refused if the log does not take them, and count for nothing', async () => {
    world.log.failure = ErrorCode.INVALID_TXN_STATE
    expect(await commitIn(A, 5)).toBe('INVALID_TXN_STATE')
    world.log.failure = 0
    await end(A, true)
    expect(fetched()).toBe(-1)
  })

  it('end nowhere before the groups of the partition are loaded', async () => {
    world.coordinator.onPartitionResigned(0)
    expect(errorName(await end(A, true))).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(await commitIn(A, 5)).toBe('NOT_COORDINATOR')
  })
})

import { SimClock, SimRandom } from '@millrace/testing'
import { ErrorCode } from '@millrace/wire'
import { failedFetch, type FetchEntry, type PartitionFetchResult } from './fetch-entry'
import { nextEpoch } from './fetch-session'
import { FetchSessions, SESSION_EVICTION_MS, type SessionRequest } from './fetch-sessions'

const RECORDS = Buffer.from('records')

function anEntry(partition: number, change: Partial<FetchEntry> = {}): FetchEntry {
  return {
    topic: 't',
    topicId: null,
    partition,
    fetchOffset: 0,
    maxBytes: 1000,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    ...change,
  }
}

function aResult(
  entry: FetchEntry,
  change: Partial<PartitionFetchResult> = {},
): PartitionFetchResult {
  const known = { errorCode: ErrorCode.NONE, highWatermark: 5, logStartOffset: 0 }
  return { ...failedFetch(entry, ErrorCode.NONE), ...known, ...change }
}

function someSessions(maxSessions = 10) {
  const clock = new SimClock()
  const sessions = new FetchSessions({ clock, random: new SimRandom(3) }, { maxSessions })
  const open = (change: Partial<SessionRequest> = {}) =>
    sessions.open({
      sessionId: 0,
      sessionEpoch: 0,
      usesTopicIds: false,
      isFromFollower: false,
      wanted: [anEntry(0), anEntry(1)],
      forgotten: [],
      nameOf: () => undefined,
      ...change,
    })
  /** Opens a session of so many partitions, all answered, and gives its id. */
  const create = (partitionCount = 2, isFromFollower = false): number => {
    const wanted = Array.from({ length: partitionCount }, (_, partition) => anEntry(partition))
    return open({ wanted, isFromFollower }).reply(wanted.map((entry) => aResult(entry))).sessionId
  }
  /** A request of a session without changes, and the partitions that its answer tells. */
  const goOn = (sessionId: number, sessionEpoch: number, change: Partial<SessionRequest> = {}) =>
    open({ sessionId, sessionEpoch, wanted: [], ...change })
  return { clock, sessions, open, create, goOn }
}

const partitionsOf = (entries: Iterable<FetchEntry>) =>
  Array.from(entries, ({ partition }) => partition)

describe('a fetch session', () => {
  it('is opened by a whole request, and remembers its partitions for the next ones', () => {
    const { create, goOn } = someSessions()
    const id = create()
    expect(id).toBeGreaterThan(0)
    const context = goOn(id, 1, { wanted: [anEntry(1, { fetchOffset: 7 }), anEntry(2)] })
    expect(context.errorCode).toBe(ErrorCode.NONE)
    expect(Array.from(context.entries, (entry) => [entry.partition, entry.fetchOffset])).toEqual([
      [0, 0],
      [1, 7],
      [2, 0],
    ])
    expect(partitionsOf(goOn(id, 2, { forgotten: [anEntry(1)] }).entries)).toEqual([0, 2])
  })

  it('takes its requests in the order of their epochs only (FETCH-1)', () => {
    const { create, goOn } = someSessions()
    const id = create()
    expect(goOn(id, 2).errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(goOn(id, 1).errorCode).toBe(ErrorCode.NONE)
    expect(goOn(id, 1).errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(goOn(id, 2).errorCode).toBe(ErrorCode.NONE)
    expect(goOn(id + 1, 1).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(goOn(0, 1).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('gives no records to a request that another one of the session has overtaken (FETCH-1)', () => {
    const { create, goOn } = someSessions()
    const id = create()
    const slow = goOn(id, 1)
    const entries = [...slow.entries]
    goOn(id, 2)
    const reply = slow.reply(entries.map((entry) => aResult(entry, { records: RECORDS })))
    expect(reply).toEqual({
      errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
      sessionId: id,
      results: [],
    })
  })

  it('tells a partition only when there is news of it (FETCH-2)', () => {
    const { create, goOn } = someSessions()
    const id = create(6)
    const news: Partial<PartitionFetchResult>[] = [
      {},
      { records: RECORDS },
      { highWatermark: 6 },
      { logStartOffset: 1 },
      { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
      { divergingEpoch: { epoch: 1, endOffset: 2 } },
    ]
    const ask = (epoch: number, changes: typeof news) => {
      const context = goOn(id, epoch)
      const inOrder = [...context.entries].sort((a, b) => a.partition - b.partition)
      const reply = context.reply(inOrder.map((entry, at) => aResult(entry, changes[at])))
      return reply.results.map(({ entry }) => entry.partition)
    }
    expect(ask(1, news)).toEqual([1, 2, 3, 4, 5])
    // What was told is known; what had an error is told again when it is well.
    expect(ask(2, [{}, {}, { highWatermark: 6 }, { logStartOffset: 1 }, {}, {}])).toEqual([4])
    expect(ask(3, [{}, {}, { highWatermark: 6 }, { logStartOffset: 1 }, {}, {}])).toEqual([])
  })

  it('puts a partition that gave records behind the others', () => {
    const { create, goOn } = someSessions()
    const id = create(3)
    const context = goOn(id, 1)
    context.reply(
      Array.from(context.entries, (entry) =>
        aResult(entry, entry.partition === 0 ? { records: RECORDS } : {}),
      ),
    )
    expect(partitionsOf(goOn(id, 2).entries)).toEqual([1, 2, 0])
  })

  it('ends with the epoch -1, with a new one in its place, and with its last partition', () => {
    const { sessions, open, create, goOn } = someSessions()
    const [first, second, third] = [create(), create(), create()]
    const final = open({ sessionId: first, sessionEpoch: -1 })
    expect(final.reply([]).sessionId).toBe(0)
    const renewed = open({ sessionId: second, sessionEpoch: 0 }).reply([aResult(anEntry(0))])
    expect(renewed.sessionId).not.toBe(second)
    const emptied = goOn(third, 1, { forgotten: [anEntry(0), anEntry(1)] })
    expect(emptied.reply([])).toMatchObject({ errorCode: ErrorCode.NONE, sessionId: 0 })
    expect(sessions.size).toBe(1)
  })

  it('goes by topic ids or by names, not by both', () => {
    const { create, goOn } = someSessions()
    const context = goOn(create(), 1, { usesTopicIds: true })
    expect(context.errorCode).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
  })

  it('learns the name of a topic that is created after it', () => {
    const { open, goOn } = someSessions()
    const wanted = [anEntry(0, { topic: null, topicId: 'id' })]
    const { sessionId } = open({ usesTopicIds: true, wanted }).reply([
      failedFetch(wanted[0], ErrorCode.UNKNOWN_TOPIC_ID),
    ])
    const [entry] = goOn(sessionId, 1, { usesTopicIds: true, nameOf: () => 'born' }).entries
    expect(entry.topic).toBe('born')
  })

  it('counts of a partition that is named twice the last', () => {
    const { open } = someSessions()
    const wanted = [anEntry(0), anEntry(0, { fetchOffset: 9 })]
    expect(Array.from(open({ wanted }).entries, (entry) => entry.fetchOffset)).toEqual([9])
    const sessionless = open({ wanted, sessionEpoch: -1 })
    expect(Array.from(sessionless.entries, (entry) => entry.fetchOffset)).toEqual([9])
  })

  it('begins its epochs again at 1 after the largest', () => {
    expect(nextEpoch(2 ** 31 - 1)).toBe(1)
    expect(nextEpoch(0)).toBe(1)
  })
})

describe('the sessions of a node', () => {
  it('are bounded: who comes late fetches without one', () => {
    const { sessions, create } = someSessions(2)
    create()
    create()
    expect(create(50)).toBe(0)
    expect(sessions.size).toBe(2)
    expect(sessions.partitionCount).toBe(4)
  })

  it('make room for a new one by the one that was not used for the longest time', async () => {
    const { clock, sessions, create, goOn } = someSessions(2)
    const [first, second] = [create(), create()]
    await clock.advance(SESSION_EVICTION_MS + 1)
    goOn(first, 1)
    expect(create(1)).toBeGreaterThan(0)
    expect(goOn(second, 1).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(goOn(first, 2).errorCode).toBe(ErrorCode.NONE)
    expect(sessions.evictionCount).toBe(1)
  })

  it('of those that had their time give way to one of at least as many partitions', async () => {
    const { clock, create, goOn } = someSessions(2)
    const [small, large] = [create(2), create(9)]
    await clock.advance(SESSION_EVICTION_MS + 1)
    goOn(small, 1)
    goOn(large, 1)
    expect(create(1)).toBe(0)
    expect(create(2)).toBeGreaterThan(0)
    expect(goOn(small, 2).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(goOn(large, 2).errorCode).toBe(ErrorCode.NONE)
  })

  it('of consumers give way to one of a follower at any time, and not the other way', () => {
    const { create, goOn } = someSessions(1)
    const consumer = create(9)
    const follower = create(1, true)
    expect(follower).toBeGreaterThan(0)
    expect(goOn(consumer, 1).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(create(99)).toBe(0)
    expect(create(99, true)).toBe(0)
  })

  it('can be none at all', () => {
    const { create } = someSessions(0)
    expect(create()).toBe(0)
  })
})

import { parseConfig } from '@millrace/config'
import { logConfigDefinition, LogManager } from '@millrace/log'
import { batch, BatchBuilder } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { SimClock, SimDisk, SimRandom, type DiskOperation } from '@millrace/testing'
import { ErrorCode } from '@millrace/wire'
import { ReplicaManager, type FetchRequest, type ReplicatedTopic } from './index'

const NODE_ID = 1

/** A node whose disk writes only when the test says so. */
async function aNode(onOperation?: (operation: DiskOperation) => Error | null) {
  const clock = new SimClock()
  const disk = new SimDisk(onOperation ? { onOperation } : {})
  await disk.makeDirectory('/data')
  const rounds: (() => void)[] = []
  const logManager = await LogManager.open(
    {
      disk,
      clock,
      logger: silentLogger,
      random: new SimRandom(1),
      schedule: (run) => rounds.push(run),
    },
    {
      directories: ['/data'],
      nodeId: NODE_ID,
      clusterId: 'cluster',
      configOf: () => parseConfig(logConfigDefinition, {}).config,
    },
  )
  const events: string[] = []
  const replicas = new ReplicaManager(
    {
      logManager,
      clock,
      logger: silentLogger,
      logConfigOf: (topic) => parseConfig(logConfigDefinition, topic.configs).config,
      leadership: {
        onElected: (topic, partition) => events.push(`elected ${topic}-${partition}`),
        onResigned: (topic, partition) => events.push(`resigned ${topic}-${partition}`),
      },
    },
    { nodeId: NODE_ID },
  )
  const topics = new Map<string, ReplicatedTopic>()
  return {
    clock,
    replicas,
    logManager,
    events,
    /** Lets the disk do what it was asked for, and promises settle. */
    async flush() {
      for (const run of rounds.splice(0)) run()
      for (let turn = 0; turn < 5; turn++) await clock.advance(0)
    },
    async apply(topic: ReplicatedTopic) {
      topics.set(topic.name, topic)
      await replicas.applyMetadata({ topics }, [topic.name])
    },
    async remove(name: string) {
      topics.delete(name)
      await replicas.applyMetadata({ topics }, [name])
    },
  }
}

function aTopic(name: string, change: Partial<ReplicatedTopic> = {}): ReplicatedTopic {
  const partition = { leader: NODE_ID, leaderEpoch: 0, replicas: [NODE_ID], isr: [NODE_ID] }
  return {
    id: `${name}-id`.padEnd(22, 'A'),
    name,
    partitions: [{ index: 0, ...partition }],
    configs: {},
    ...change,
  }
}

function aBatch(count = 1, value = 'v'): Buffer {
  const builder = new BatchBuilder()
  for (let i = 0; i < count; i++) builder.append(1_700_000_000_000, null, Buffer.from(value))
  return builder.build()
}

function anAppend(topics: readonly string[], acks: -1 | 0 | 1 = -1) {
  const entries = topics.map((topic) => ({ topic, partition: 0, records: aBatch() }))
  return { acks, timeoutMs: 1000, origin: 'client' as const, entries }
}

function aFetch(topics: readonly string[], change: Partial<FetchRequest> = {}): FetchRequest {
  return {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 'read_uncommitted',
    entries: topics.map((topic) => ({
      topic,
      topicId: null,
      partition: 0,
      fetchOffset: 0,
      maxBytes: 1 << 20,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    })),
    ...change,
  }
}

/** Whether a promise has settled by now. */
async function isSettled(promise: unknown): Promise<boolean> {
  const pending = Symbol('pending')
  await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

describe('an append', () => {
  it.each([-1, 1] as const)(
    'with acks=%i is answered only after the flush (ACK-1)',
    async (acks) => {
      const node = await aNode()
      await node.apply(aTopic('a'))
      const answer = node.replicas.append(anAppend(['a'], acks))
      expect(await isSettled(answer)).toBe(false)
      await node.flush()
      expect(await answer).toMatchObject([{ errorCode: ErrorCode.NONE, baseOffset: 0 }])
    },
  )

  it('with acks=0 does not wait', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    expect(await isSettled(node.replicas.append(anAppend(['a'], 0)))).toBe(true)
  })

  it('to several partitions waits for the last of them, and tells of each by itself', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    await node.apply(aTopic('b'))
    const answer = node.replicas.append(anAppend(['a', 'nowhere', 'b']))
    await node.flush()
    expect((await answer).map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.NONE,
    ])
  })

  it('that the disk does not take in time is answered with REQUEST_TIMED_OUT', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const answer = node.replicas.append(anAppend(['a']))
    await node.clock.advance(1000)
    expect(await answer).toMatchObject([{ errorCode: ErrorCode.REQUEST_TIMED_OUT, baseOffset: -1 }])
    await node.flush() // the late flush finds nobody who waits
    expect(node.replicas.partition('a', 0)?.highWatermark).toBe(1)
  })

  it('LOG-11: is answered with KAFKA_STORAGE_ERROR when the disk is full; only a coordinator waits for room', async () => {
    let isFull = false
    const node = await aNode(({ kind }) =>
      isFull && kind === 'write' ? Object.assign(new Error('full'), { code: 'ENOSPC' }) : null,
    )
    await node.apply(aTopic('a'))
    isFull = true
    const client = node.replicas.append(anAppend(['a']))
    const coordinator = node.replicas.append({
      ...anAppend(['a']),
      timeoutMs: 60_000,
      origin: 'coordinator',
    })
    await node.flush()
    expect(await client).toMatchObject([{ errorCode: ErrorCode.KAFKA_STORAGE_ERROR }])
    expect(await isSettled(coordinator)).toBe(false)
    expect(await node.replicas.append(anAppend(['a']))).toMatchObject([
      { errorCode: ErrorCode.KAFKA_STORAGE_ERROR },
    ])
    isFull = false
    await node.clock.advance(1000)
    for (let round = 0; round < 4; round++) await node.flush() // the leader epochs were stuck, too
    expect(await coordinator).toMatchObject([{ errorCode: ErrorCode.NONE, baseOffset: 1 }])
    const later = node.replicas.append(anAppend(['a']))
    await node.flush()
    expect(await later).toMatchObject([{ errorCode: ErrorCode.NONE, baseOffset: 2 }])
  })

  it('is answered with KAFKA_STORAGE_ERROR when the disk fails, and so are later ones', async () => {
    let isBroken = false
    const node = await aNode(({ kind }) =>
      isBroken && kind === 'sync' ? Object.assign(new Error('EIO'), { code: 'EIO' }) : null,
    )
    await node.apply(aTopic('a'))
    isBroken = true
    const answer = node.replicas.append(anAppend(['a']))
    await node.flush()
    expect(await answer).toMatchObject([{ errorCode: ErrorCode.KAFKA_STORAGE_ERROR }])
    expect(node.logManager.log('a', 0)?.highWatermark).toBe(0)
    expect(await node.replicas.append(anAppend(['a']))).toMatchObject([
      { errorCode: ErrorCode.KAFKA_STORAGE_ERROR },
    ])
  })

  it('is refused where this node does not lead, or too few replicas are in sync', async () => {
    const node = await aNode()
    const led = { index: 0, leader: 2, leaderEpoch: 3, replicas: [1, 2], isr: [2] }
    await node.apply(aTopic('elsewhere', { partitions: [led] }))
    await node.apply(
      aTopic('thin', {
        partitions: [{ ...led, leader: 1, isr: [1] }],
        configs: { 'min.insync.replicas': '2' },
      }),
    )
    expect(await node.replicas.append(anAppend(['elsewhere', 'thin']))).toMatchObject([
      { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
      { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS },
    ])
    const answer = node.replicas.append(anAppend(['thin'], 1))
    await node.flush()
    expect(await answer).toMatchObject([{ errorCode: ErrorCode.NONE }])
  })

  it('that waits is answered when the topic is deleted', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const answer = node.replicas.append(anAppend(['a']))
    await node.remove('a')
    expect(await answer).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }])
  })
})

describe('a fetch', () => {
  it('does not see what is not flushed (ACK-2), and is woken by the flush', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    void node.replicas.append(anAppend(['a']))
    const answer = node.replicas.fetch(aFetch(['a']))
    expect(await isSettled(answer)).toBe(false)
    await node.flush()
    const [result] = await answer
    expect(result).toMatchObject({ errorCode: ErrorCode.NONE, highWatermark: 1 })
    expect(batch.recordCount(result.records, 0)).toBe(1)
  })

  it('waits for minBytes over all partitions, and answers with less when its time is up', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    await node.apply(aTopic('b'))
    const size = aBatch().length
    const enough = node.replicas.fetch(aFetch(['a', 'b'], { minBytes: 2 * size }))
    const tooMuch = node.replicas.fetch(aFetch(['a', 'b'], { minBytes: 3 * size }))
    void node.replicas.append(anAppend(['a']))
    await node.flush()
    expect(await isSettled(enough)).toBe(false)
    void node.replicas.append(anAppend(['b']))
    await node.flush()
    expect((await enough).map(({ records }) => records.length)).toEqual([size, size])
    expect(await isSettled(tooMuch)).toBe(false)
    await node.clock.advance(500)
    expect((await tooMuch).map(({ records }) => records.length)).toEqual([size, size])
  })

  it('counts what comes while it waits, and reads it once (FETCH-3)', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const size = aBatch().length
    const read = jest.spyOn(node.replicas.partition('a', 0)!.log, 'read')
    const answer = node.replicas.fetch(aFetch(['a'], { minBytes: 20 * size }))
    for (let count = 1; count <= 20; count++) {
      expect(await isSettled(answer)).toBe(false)
      void node.replicas.append(anAppend(['a']))
      await node.flush()
    }
    expect((await answer)[0].records.length).toBe(20 * size)
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('lets who asks time the reading that follows a wait, and not the first look', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const read = jest.spyOn(node.replicas.partition('a', 0)!.log, 'read')
    const readsWhenTimed: number[] = []
    const timed: FetchRequest['timed'] = (work) => {
      const before = read.mock.calls.length
      const done = work()
      readsWhenTimed.push(read.mock.calls.length - before)
      return done
    }
    const answer = node.replicas.fetch(aFetch(['a'], { timed }))
    expect(await isSettled(answer)).toBe(false)
    expect(readsWhenTimed).toEqual([])
    void node.replicas.append(anAppend(['a']))
    await node.flush()
    await answer
    expect(readsWhenTimed).toEqual([1])
  })

  it('counts no more of a partition than it may have of it', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const size = aBatch().length
    const request = aFetch(['a'], { minBytes: 3 * size })
    const entries = [{ ...request.entries[0], maxBytes: 2 * size }]
    const answer = node.replicas.fetch({ ...request, entries })
    for (let count = 0; count < 9; count++) void node.replicas.append(anAppend(['a']))
    await node.flush()
    expect(await isSettled(answer)).toBe(false)
    await node.clock.advance(500)
    expect((await answer)[0].records.length).toBe(2 * size)
  })

  it('of committed records waits for the end of a transaction, and is told if it was aborted', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const builder = new BatchBuilder()
    builder.append(1_700_000_000_000, null, Buffer.from('v'))
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
    const records = builder.build({ ...producer, isTransactional: true })
    const verification = node.replicas
      .partition('a', 0)!
      .log.startVerification({ ...producer, supportsEpochBump: false })!
    const append = { acks: -1, timeoutMs: 1000, origin: 'client' } as const
    void node.replicas.append({
      ...append,
      entries: [{ topic: 'a', partition: 0, records, verification }],
    })
    await node.flush()
    const isolationLevel = 'read_committed'
    const committed = node.replicas.fetch(aFetch(['a'], { isolationLevel }))
    const [uncommitted] = await node.replicas.fetch(aFetch(['a']))
    expect(uncommitted.records.length).toBe(records.length)
    expect(uncommitted).toMatchObject({ lastStableOffset: 0, abortedTransactions: null })
    expect(await isSettled(committed)).toBe(false)
    const marker = { producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, isCommit: false }
    void node.replicas.append({
      ...append,
      origin: 'coordinator',
      entries: [{ topic: 'a', partition: 0, marker }],
    })
    await node.flush()
    const [told] = await committed
    expect(told.lastStableOffset).toBe(2)
    expect(told.abortedTransactions).toMatchObject([{ producerId: 7, firstOffset: 0 }])
    expect(told.records.length).toBeGreaterThan(records.length)
  })

  it('that waits is fenced by a new leader epoch, and told when the topic is deleted', async () => {
    const node = await aNode()
    const led = { index: 0, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] }
    await node.apply(aTopic('a', { partitions: [led] }))
    const request = aFetch(['a'])
    const entries = [{ ...request.entries[0], currentLeaderEpoch: 0 }]
    const fenced = node.replicas.fetch({ ...request, entries })
    const deleted = node.replicas.fetch(request)
    await node.apply(aTopic('a', { partitions: [{ ...led, leaderEpoch: 1 }] }))
    expect((await fenced)[0].errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(await isSettled(deleted)).toBe(false)
    await node.remove('a')
    expect((await deleted)[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('of a topic that was made anew under another id is told so', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const request = aFetch(['a'])
    const entries = [{ ...request.entries[0], topicId: 'another'.padEnd(22, 'A') }]
    const [result] = await node.replicas.fetch({ ...request, entries })
    expect(result.errorCode).toBe(ErrorCode.INCONSISTENT_TOPIC_ID)
  })

  it('leaves nothing behind once it is answered', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    const pending = node.clock.pendingCount
    const answer = node.replicas.fetch(aFetch(['a']))
    node.replicas.releaseFetches()
    expect((await answer)[0].records.length).toBe(0)
    expect(node.clock.pendingCount).toBe(pending)
  })

  it('stops at maxBytes, but never without the first batch', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    await node.apply(aTopic('b'))
    void node.replicas.append(anAppend(['a', 'b']))
    await node.flush()
    const answer = await node.replicas.fetch(aFetch(['a', 'b'], { maxBytes: 1 }))
    expect(answer.map(({ records }) => records.length)).toEqual([aBatch().length, 0])
  })

  it.each([
    ['beyond the log', { fetchOffset: 2 }, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['before the log', { fetchOffset: -1 }, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['with an older epoch', { currentLeaderEpoch: 4 }, ErrorCode.FENCED_LEADER_EPOCH],
    ['with a later epoch', { currentLeaderEpoch: 6 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ['with a limit below 0', { maxBytes: -1 }, ErrorCode.UNKNOWN_SERVER_ERROR],
  ])('%s is told at once', async (_, change, errorCode) => {
    const node = await aNode()
    const led = { index: 0, leader: 1, leaderEpoch: 5, replicas: [1], isr: [1] }
    await node.apply(aTopic('a', { partitions: [led] }))
    void node.replicas.append(anAppend(['a']))
    await node.flush()
    const request = aFetch(['a'])
    const answer = node.replicas.fetch({
      ...request,
      entries: [{ ...request.entries[0], ...change }],
    })
    expect(await isSettled(answer)).toBe(true)
    expect((await answer)[0].errorCode).toBe(errorCode)
  })

  it('by a reader whose history parted from ours is told where', async () => {
    const node = await aNode()
    const led = { index: 0, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] }
    await node.apply(aTopic('a', { partitions: [led] }))
    void node.replicas.append(anAppend(['a']))
    await node.flush()
    await node.apply(aTopic('a', { partitions: [{ ...led, leaderEpoch: 2 }] }))
    void node.replicas.append(anAppend(['a']))
    await node.flush()
    const request = aFetch(['a'])
    const entry = { ...request.entries[0], fetchOffset: 2, lastFetchedEpoch: 0 }
    const [result] = await node.replicas.fetch({ ...request, entries: [entry] })
    expect(result).toMatchObject({ divergingEpoch: { epoch: 0, endOffset: 1 } })
    expect(result.records.length).toBe(0)
  })
})

describe('the metadata', () => {
  it('creates logs, tells who leads, and takes them away again', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    await node.remove('a')
    expect(node.events).toEqual(['elected a-0', 'resigned a-0'])
    expect(node.logManager.log('a', 0)).toBeUndefined()
  })

  it('replaces the log of a topic that was made anew under its name', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    void node.replicas.append(anAppend(['a']))
    await node.flush()
    await node.apply(aTopic('a', { id: 'another-id'.padEnd(22, 'A') }))
    expect(node.replicas.partition('a', 0)?.log.logEndOffset).toBe(0)
  })

  it('takes away at the start what was left of topics that are gone or were made anew', async () => {
    const node = await aNode()
    const config = parseConfig(logConfigDefinition, {}).config
    for (const topic of ['gone', 'anew', 'kept'])
      await node.logManager.createLog({ topic, partition: 0, topicId: aTopic(topic).id, config })
    const anew = aTopic('anew', { id: 'another-id'.padEnd(22, 'A') })
    const image = {
      topics: new Map([
        ['anew', anew],
        ['kept', aTopic('kept')],
      ]),
    }
    await node.replicas.deleteStrays(image)
    expect([...node.logManager.logs()].map(({ topic }) => topic)).toEqual(['kept'])
    await node.apply(anew)
    expect(node.replicas.partition('anew', 0)?.log.topicId).toBe(anew.id)
  })

  it('changes the config of an open log', async () => {
    const node = await aNode()
    await node.apply(aTopic('a'))
    await node.apply(aTopic('a', { configs: { 'max.message.bytes': '10' } }))
    expect(await node.replicas.append(anAppend(['a']))).toMatchObject([
      { errorCode: ErrorCode.MESSAGE_TOO_LARGE },
    ])
  })

  it('that one disk cannot follow is told to those who wait for that topic, and to no other', async () => {
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    const node = await aNode(({ kind, path }) =>
      kind === 'rename' && path.startsWith('/data/bad-0') ? full : null,
    )
    const topics = new Map(['good', 'bad'].map((name) => [name, aTopic(name)]))
    const applied = node.replicas.applyMetadata({ topics }, topics.keys())
    await expect(applied).rejects.toMatchObject({ code: 'REPLICATION_LOG_NOT_OPENED' })
    await node.replicas.whenApplied('good')
    await expect(node.replicas.whenApplied('bad')).rejects.toMatchObject({
      code: 'REPLICATION_LOG_NOT_OPENED',
    })
    expect(node.replicas.partition('good', 0)).toBeDefined()
    expect(node.replicas.partition('bad', 0)).toBeUndefined()
  })

  it('keeps the order of the changes of one topic', async () => {
    const node = await aNode()
    const present = { topics: new Map([['a', aTopic('a')]]) }
    const absent = { topics: new Map() }
    const changes = [present, absent, present].map((image) =>
      node.replicas.applyMetadata(image, ['a']),
    )
    await Promise.all(changes)
    expect(node.events).toEqual(['elected a-0', 'resigned a-0', 'elected a-0'])
  })

  it('of an older epoch is a late message and changes nothing', async () => {
    const node = await aNode()
    const led = { index: 0, leader: 1, leaderEpoch: 5, replicas: [1, 2], isr: [1] }
    await node.apply(aTopic('a', { partitions: [led] }))
    await node.apply(aTopic('a', { partitions: [{ ...led, leader: 2, leaderEpoch: 4 }] }))
    expect(node.replicas.partition('a', 0)?.isLeader).toBe(true)
    await node.apply(aTopic('a', { partitions: [{ ...led, leader: 2, leaderEpoch: 6 }] }))
    expect(node.events).toEqual(['elected a-0', 'resigned a-0'])
  })
})

import { ErrorCode, errorName } from '@millrace/wire'
import type { ProducerIdentity } from '../src/txn/txn-coordinator'
import { noFaults, TxnWorld } from './support/txn-world'

const ID = 'x'
const TIMEOUT_MS = 60_000

let world: TxnWorld
beforeEach(async () => {
  world = await TxnWorld.open()
})
afterEach(() => world.coordinator.stop())

const init = (timeoutMs = TIMEOUT_MS, claim: ProducerIdentity | null = null) =>
  world.coordinator.initProducerId({ transactionalId: ID, timeoutMs, claim })

/** As the newer protocol does it: the partition joins with the record. */
async function write(producer: ProducerIdentity, record: string, partition = 0): Promise<string> {
  const guard = world.partitions[partition].guard(producer.producerId)
  const error = await add(producer, partition)
  if (error !== ErrorCode.NONE) return errorName(error)
  const { producerId, producerEpoch } = producer
  return errorName(world.partitions[partition].append(producerId, producerEpoch, record, guard))
}

function add(producer: ProducerIdentity, partition = 0, clientVersion = 2): Promise<number> {
  const partitions = [{ topic: 't', partition }]
  return world.coordinator.addPartitions({
    transactionalId: ID,
    ...producer,
    partitions,
    clientVersion,
  })
}

const end = (producer: ProducerIdentity, isCommit = true, clientVersion = 2) =>
  world.coordinator.endTransaction({ transactionalId: ID, ...producer, isCommit, clientVersion })

const state = () => world.coordinator.describe(ID).txn?.state
const committed = (partition = 0) => [...world.partitions[partition].committed]
const aborted = (partition = 0) => [...world.partitions[partition].aborted]

describe('a transaction', () => {
  it('is committed in all its partitions', async () => {
    const producer = await init()
    expect(await write(producer, 'a', 0)).toBe('NONE')
    expect(await write(producer, 'b', 1)).toBe('NONE')
    expect(state()).toBe('Ongoing')
    expect(await end(producer)).toEqual({ ...producer, producerEpoch: 1 })
    await world.clock.advance(0)
    expect([committed(0), committed(1)]).toEqual([['a'], ['b']])
    expect(state()).toBe('CompleteCommit')
  })

  it('is aborted in all its partitions', async () => {
    const producer = await init()
    await write(producer, 'a', 0)
    await write(producer, 'b', 1)
    await end(producer, false)
    await world.clock.advance(0)
    expect([aborted(0), aborted(1)]).toEqual([['a'], ['b']])
  })

  it('has the epoch that the end of the one before gave', async () => {
    let producer = await init()
    for (const record of ['a', 'b', 'c']) {
      expect(await write(producer, record)).toBe('NONE')
      producer = await end(producer)
      await world.clock.advance(0)
    }
    expect(producer.producerEpoch).toBe(3)
    expect(committed()).toEqual(['a', 'b', 'c'])
  })

  it('keeps its epoch in the older protocol', async () => {
    const producer = await init()
    await add(producer, 0, 0)
    expect(await end(producer, true, 0)).toMatchObject({ errorCode: 0, producerId: -1 })
    await world.clock.advance(0)
    expect(await add(producer, 0, 0)).toBe(ErrorCode.NONE)
  })

  it('TXN-2: is brought to its end although markers fail for a while', async () => {
    const producer = await init()
    await write(producer, 'a')
    world.faults.markerFailure = 100
    await end(producer)
    await world.clock.advance(5000)
    expect(state()).toBe('PrepareCommit')
    expect(errorName((await init()).errorCode)).toBe('CONCURRENT_TRANSACTIONS')
    world.faults.markerFailure = 0
    await world.clock.advance(1000)
    expect([state(), committed()]).toEqual(['CompleteCommit', ['a']])
  })

  it('TXN-2: is brought to its end although the log fails for a while', async () => {
    const producer = await init()
    await write(producer, 'a')
    world.faults.markerFailure = 100
    await end(producer)
    world.faults.logTimeout = 100
    world.faults.markerFailure = 0
    await world.clock.advance(5000)
    expect([state(), committed()]).toEqual(['PrepareCommit', ['a']])
    world.faults.logTimeout = 0
    await world.clock.advance(1000)
    expect(state()).toBe('CompleteCommit')
  })

  it('is ended although an operator has ended it in one of its partitions', async () => {
    const producer = await init()
    await write(producer, 'a', 0)
    await write(producer, 'b', 1)
    const { producerId } = producer
    const marker = { producerId, producerEpoch: 9, coordinatorEpoch: 0, isCommit: false }
    world.partitions[0].mark({ ...marker, transactionVersion: 2 })
    await end(producer)
    await world.clock.advance(0)
    expect([state(), committed(1)]).toEqual(['CompleteCommit', ['b']])
  })

  it('TXN-1: is not ended for a client who was not told so', async () => {
    const producer = await init()
    await write(producer, 'a')
    world.faults.logTimeout = 100
    expect(errorName((await end(producer)).errorCode)).toBe('COORDINATOR_NOT_AVAILABLE')
    world.faults.logTimeout = 0
    await world.clock.advance(1000)
    expect([state(), committed()]).toEqual(['Ongoing', []])
    expect(errorName((await end(producer)).errorCode)).toBe('NONE')
    await world.clock.advance(0)
    expect(committed()).toEqual(['a'])
  })

  it('TXN-3: is not ended by the end of the one before that comes late', async () => {
    const first = await init()
    await write(first, 'a')
    const second = await end(first)
    await world.clock.advance(0)
    await write(second, 'b')
    expect(errorName((await end(first)).errorCode)).toBe('PRODUCER_FENCED')
    expect(errorName((await end(first, false)).errorCode)).toBe('PRODUCER_FENCED')
    expect(state()).toBe('Ongoing')
  })

  it('TXN-3: is not ended twice by a request that is repeated', async () => {
    const producer = await init()
    await write(producer, 'a')
    const next = await end(producer)
    await world.clock.advance(0)
    const storedCount = world.stored.length
    expect(await end(producer)).toEqual(next)
    expect(world.stored).toHaveLength(storedCount)
  })

  it('TXN-4: takes no record whose partition was added before it ended', async () => {
    const producer = await init()
    const guard = world.partitions[0].guard(producer.producerId)
    await add(producer)
    await end(producer, false)
    await world.clock.advance(0)
    const { producerId, producerEpoch } = producer
    const error = world.partitions[0].append(producerId, producerEpoch, 'late', guard)
    expect(errorName(error)).toBe('INVALID_PRODUCER_EPOCH')
  })
})

describe('a producer', () => {
  it('fences the one before, and aborts what that has open', async () => {
    const zombie = await init()
    await write(zombie, 'a')
    expect(errorName((await init()).errorCode)).toBe('CONCURRENT_TRANSACTIONS')
    await world.clock.advance(0)
    const successor = await init()
    expect(successor).toMatchObject({ producerId: zombie.producerId, producerEpoch: 2 })
    expect(aborted()).toEqual(['a'])
    expect(await write(zombie, 'b')).toBe('PRODUCER_FENCED')
    expect(errorName((await end(zombie)).errorCode)).toBe('PRODUCER_FENCED')
    expect(await write(successor, 'c')).toBe('NONE')
  })

  it('cannot commit what was aborted because its time is over', async () => {
    const producer = await init(1000)
    await write(producer, 'a')
    await world.clock.advance(9000)
    expect(state()).toBe('Ongoing')
    await world.clock.advance(2000)
    expect([state(), aborted()]).toEqual(['CompleteAbort', ['a']])
    expect(errorName((await end(producer)).errorCode)).toBe('INVALID_TXN_STATE')
    expect(await write(producer, 'b')).toBe('PRODUCER_FENCED')
  })

  it('goes on with a new producer id when its epochs are used up', async () => {
    let producer = await init()
    for (let i = 0; i < 32_766; i++) {
      producer = await end(producer, false)
      await Promise.resolve()
      while (state() !== 'CompleteAbort') await new Promise((done) => setImmediate(done))
    }
    const { producerId } = producer
    expect(producer.producerEpoch).toBe(32_766)
    await write(producer, 'a')
    const next = await end(producer)
    expect(next.producerEpoch).toBe(0)
    expect(next.producerId).not.toBe(producerId)
    await world.clock.advance(0)
    expect(committed()).toEqual(['a'])
    expect(await end(producer)).toEqual(next)
    expect(await write(next, 'b')).toBe('NONE')
  })

  it.each([0, -1, 900_001])('may not ask for a timeout of %i ms', async (timeoutMs) => {
    expect(errorName((await init(timeoutMs)).errorCode)).toBe('INVALID_TRANSACTION_TIMEOUT')
  })

  it('that nobody knows is told so', async () => {
    const stranger = { errorCode: 0, producerId: 5, producerEpoch: 0 }
    expect(errorName(await add(stranger))).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(errorName((await end(stranger)).errorCode)).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(world.coordinator.describe(ID).errorCode).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
  })

  it('is one, although two begin at the same time', async () => {
    const both = await Promise.all([init(), init()])
    const names = both.map(({ errorCode }) => errorName(errorCode))
    expect(names.sort()).toEqual(['CONCURRENT_TRANSACTIONS', 'NONE'])
  })
})

describe('a restart', () => {
  it.each(['CompleteCommit', 'CompleteAbort'] as const)(
    'TXN-2: goes on to %s',
    async (expected) => {
      const producer = await init()
      await write(producer, 'a', 0)
      await write(producer, 'b', 1)
      world.faults.markerFailure = 100
      await end(producer, expected === 'CompleteCommit')
      world.faults.markerFailure = 0
      await world.crash()
      await world.clock.advance(0)
      expect(state()).toBe(expected)
      const seen =
        expected === 'CompleteCommit' ? [committed(0), committed(1)] : [aborted(0), aborted(1)]
      expect(seen).toEqual([['a'], ['b']])
    },
  )

  it('TXN-1: knows the open transaction and its producer', async () => {
    const producer = await init()
    await write(producer, 'a')
    await world.crash()
    expect(await write(producer, 'b', 1)).toBe('NONE')
    await end(producer)
    await world.clock.advance(0)
    expect([committed(0), committed(1)]).toEqual([['a'], ['b']])
  })

  it('answers a repeated end with the same identity', async () => {
    const producer = await init()
    await write(producer, 'a')
    const next = await end(producer)
    await world.clock.advance(0)
    await world.crash()
    expect(await end(producer)).toEqual(next)
  })

  it('loads before it answers', async () => {
    await init()
    world.coordinator.onPartitionResigned(0)
    expect(errorName((await init()).errorCode)).toBe('NOT_COORDINATOR')
    const loaded = world.coordinator.onPartitionElected(0, 1)
    expect(errorName((await init()).errorCode)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(list().errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    await loaded
    expect(await init()).toMatchObject({ errorCode: 0, producerEpoch: 1 })
  })

  it('of a stopped coordinator answers nobody', async () => {
    world.coordinator.stop()
    expect(errorName((await init()).errorCode)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(list().errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })
})

const list = (filter = {}) =>
  world.coordinator.list({
    states: [],
    producerIds: [],
    minDurationMs: -1,
    matchesId: null,
    ...filter,
  })

describe('transactional ids', () => {
  it('are listed by state, producer, age and name', async () => {
    const producer = await init()
    await write(producer, 'a')
    await world.clock.advance(100)
    const ids = (filter: object) => list(filter).transactions.map((txn) => txn.transactionalId)
    expect(ids({})).toEqual([ID])
    expect(ids({ states: ['Ongoing'] })).toEqual([ID])
    expect(ids({ states: ['Empty'] })).toEqual([])
    expect(ids({ producerIds: [producer.producerId] })).toEqual([ID])
    expect(ids({ producerIds: [1] })).toEqual([])
    expect(ids({ minDurationMs: 99 })).toEqual([ID])
    expect(ids({ minDurationMs: 100 })).toEqual([])
    expect(ids({ matchesId: (id: string) => id === 'y' })).toEqual([])
  })

  it('are forgotten when nobody has used them for long, also after a restart', async () => {
    await init()
    await world.clock.advance(7 * 24 * 3_600_000 + 3_600_000)
    expect(world.coordinator.describe(ID).txn).toBeNull()
    await world.crash()
    expect(world.coordinator.describe(ID).txn).toBeNull()
    expect(await init()).toMatchObject({ errorCode: 0, producerEpoch: 0 })
  })

  it('stay when their removal could not be stored', async () => {
    world = await TxnWorld.open(noFaults(), { 'transactional.id.expiration.ms': '1000' })
    await init()
    world.faults.logTimeout = 100
    await world.clock.advance(3_600_000)
    expect(state()).toBe('Empty')
    world.faults.logTimeout = 0
    expect(await init()).toMatchObject({ errorCode: 0, producerEpoch: 1 })
  })

  it('stay while their transaction is open', async () => {
    world = await TxnWorld.open(noFaults(), {
      'transactional.id.expiration.ms': '1000',
      'transaction.max.timeout.ms': '10000000',
    })
    const producer = await init(9_000_000)
    await write(producer, 'a')
    await world.clock.advance(3_700_000)
    expect(state()).toBe('Ongoing')
  })
})

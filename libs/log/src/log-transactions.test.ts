import { parseConfig } from '@millrace/config'
import type { SimDisk } from '@millrace/testing'
import type { LogConfig } from './config'
import type { Log } from './log'
import { logManagerConfigDefinition } from './manager-config'
import { readMarker } from './marker'
import {
  aBatch,
  CLIENT,
  crashAndReopen,
  DIRECTORY,
  NO_LIMIT,
  openLog,
  START_MS,
  type BatchSpec,
} from './testing/log-fixture'

const COORDINATOR = { leaderEpoch: 0, origin: 'coordinator' } as const
const MANAGER_CONFIG = parseConfig(logManagerConfigDefinition, {}).config
const PRODUCER = 9
const OTHER = 12
const TINY: Partial<LogConfig> = { segmentBytes: 700, indexIntervalBytes: 100 }
const code = (name: string) => expect.objectContaining({ code: name }) as Error

interface TxnBatch extends BatchSpec {
  readonly producerId: number
  readonly baseSequence: number
}

function inTransaction(spec: TxnBatch): Buffer {
  return aBatch({ producerEpoch: 0, isTransactional: true, ...spec })
}

/** Appends as a producer whose coordinator always says yes. Returns the offset. */
function send(log: Log, spec: TxnBatch): number {
  const { producerId, baseSequence, producerEpoch = 0 } = spec
  const request = { producerId, producerEpoch, baseSequence, supportsEpochBump: false }
  const verification = log.startVerification(request) ?? undefined
  return log.append(inTransaction(spec), { ...CLIENT, verification }).firstOffset
}

const commit = { producerEpoch: 0, coordinatorEpoch: 3, isCommit: true, leaderEpoch: 0 }
const abort = { ...commit, isCommit: false }

async function settle(log: Log): Promise<void> {
  await log.flush()
  log.setHighWatermark(log.flushedOffset)
}

describe('a transaction in the log', () => {
  it('holds the last stable offset at its first record until its marker is below the high watermark', async () => {
    const { log } = await openLog()
    log.append(aBatch(), CLIENT)
    send(log, { producerId: PRODUCER, baseSequence: 0 })
    log.append(aBatch(), CLIENT)
    await settle(log)
    expect(log.firstUnstableOffset).toBe(1)
    expect(log.lastStableOffset).toBe(1)
    expect(log.hasOngoingTransaction(PRODUCER)).toBe(true)
    const { firstOffset } = log.appendMarker({ producerId: PRODUCER, ...commit })
    expect(log.hasOngoingTransaction(PRODUCER)).toBe(false)
    expect(log.lastStableOffset).toBe(1)
    await log.flush()
    log.setHighWatermark(firstOffset)
    expect(log.lastStableOffset).toBe(1)
    log.setHighWatermark(firstOffset + 1)
    expect(log.firstUnstableOffset).toBeNull()
    expect(log.lastStableOffset).toBe(4)
  })

  it('waits for the first of several that is open, whatever the order in which they end', async () => {
    const { log } = await openLog()
    send(log, { producerId: PRODUCER, baseSequence: 0 })
    send(log, { producerId: OTHER, baseSequence: 0 })
    log.appendMarker({ producerId: OTHER, ...abort })
    send(log, { producerId: OTHER, baseSequence: 1 })
    await settle(log)
    expect(log.lastStableOffset).toBe(0)
    log.appendMarker({ producerId: PRODUCER, ...commit })
    await settle(log)
    expect(log.lastStableOffset).toBe(3)
    log.appendMarker({ producerId: OTHER, ...commit })
    await settle(log)
    expect(log.lastStableOffset).toBe(log.logEndOffset)
  })

  it('is told to readers if it was aborted, for the offsets that they read', async () => {
    const { log } = await openLog()
    send(log, { producerId: PRODUCER, baseSequence: 0 }) // 0
    send(log, { producerId: OTHER, baseSequence: 0 }) // 1
    log.appendMarker({ producerId: PRODUCER, ...abort }) // 2
    log.appendMarker({ producerId: OTHER, ...commit }) // 3
    send(log, { producerId: PRODUCER, baseSequence: 1 }) // 4
    log.appendMarker({ producerId: PRODUCER, ...abort }) // 5
    const first = { producerId: PRODUCER, firstOffset: 0, lastOffset: 2, lastStableOffset: 1 }
    const second = { producerId: PRODUCER, firstOffset: 4, lastOffset: 5, lastStableOffset: 6 }
    expect(log.abortedTransactions(0, 6)).toEqual([first, second])
    expect(log.abortedTransactions(2, 4)).toEqual([first])
    expect(log.abortedTransactions(3, 4)).toEqual([])
    expect(log.abortedTransactions(3, 5)).toEqual([second])
  })

  it('ends with a control batch that no client can write', async () => {
    const { log } = await openLog()
    send(log, { producerId: PRODUCER, baseSequence: 0 })
    const timestamp = START_MS + 5
    const { firstOffset } = log.appendMarker({ producerId: PRODUCER, ...abort, timestamp })
    const { records } = log.read(firstOffset, NO_LIMIT)
    expect(readMarker(records, 0)).toEqual({ coordinatorEpoch: 3, isCommit: false })
    expect(log.activeProducers()).toEqual([
      {
        producerId: PRODUCER,
        producerEpoch: 0,
        lastSequence: 0,
        lastTimestamp: timestamp,
        coordinatorEpoch: 3,
        currentTxnStartOffset: -1,
      },
    ])
  })

  it('keeps its producer known for longer than producer.id.expiration.ms', async () => {
    const { log, clock, manager } = await openLog()
    send(log, { producerId: PRODUCER, baseSequence: 0 })
    log.append(aBatch({ producerId: OTHER, baseSequence: 0 }), CLIENT)
    await settle(log)
    await clock.advance(60_000)
    manager.expireProducers()
    expect(log.activeProducers()).toHaveLength(2)
    manager.updateConfig({ ...MANAGER_CONFIG, producerExpirationMs: 60_000 })
    await clock.advance(1)
    manager.expireProducers()
    expect(log.activeProducers().map(({ producerId }) => producerId)).toEqual([PRODUCER])
    expect(log.firstUnstableOffset).toBe(0)
  })
})

describe('what may be in a transaction', () => {
  it('LOG-9: refuses a batch that opens one without the word of the coordinator', async () => {
    const { log } = await openLog()
    const records = () => inTransaction({ producerId: PRODUCER, baseSequence: 0 })
    expect(() => log.append(records(), CLIENT)).toThrow(code('LOG_INVALID_TXN_STATE'))
    expect(() => log.append(records(), COORDINATOR)).toThrow(code('LOG_INVALID_TXN_STATE'))
    expect(() => log.append(records(), { ...CLIENT, verification: 1 })).toThrow(
      code('LOG_INVALID_TXN_STATE'),
    )
    send(log, { producerId: PRODUCER, baseSequence: 0 })
    const next = inTransaction({ producerId: PRODUCER, baseSequence: 1 })
    expect(log.append(next, CLIENT).firstOffset).toBe(1)
  })

  it('LOG-9: takes the word back when a marker comes before the batch', async () => {
    const { log } = await openLog()
    const request = {
      producerId: PRODUCER,
      producerEpoch: 0,
      baseSequence: 0,
      supportsEpochBump: false,
    }
    const verification = log.startVerification(request)!
    log.appendMarker({ producerId: PRODUCER, ...abort })
    const late = inTransaction({ producerId: PRODUCER, baseSequence: 0 })
    expect(() => log.append(late, { ...CLIENT, verification })).toThrow(
      code('LOG_INVALID_TXN_STATE'),
    )
    // A new question has another guard: the old yes is not good for it either.
    const again = log.startVerification(request)!
    expect(() => log.append(late, { ...CLIENT, verification })).toThrow(
      code('LOG_INVALID_TXN_STATE'),
    )
    expect(log.append(late, { ...CLIENT, verification: again }).firstOffset).toBe(1)
  })

  it('keeps the question of the next transaction open while the marker of the one before arrives', async () => {
    const { log } = await openLog()
    send(log, { producerId: PRODUCER, baseSequence: 0 })
    const request = {
      producerId: PRODUCER,
      producerEpoch: 1,
      baseSequence: 0,
      supportsEpochBump: true,
    }
    const verification = log.startVerification(request)!
    const marker = { ...commit, producerEpoch: 1, transactionVersion: 2 }
    log.appendMarker({ producerId: PRODUCER, ...marker })
    const next = inTransaction({ producerId: PRODUCER, producerEpoch: 1, baseSequence: 0 })
    expect(log.append(next, { ...CLIENT, verification }).firstOffset).toBe(2)
  })

  it('refuses a batch outside the transaction that its producer has open', async () => {
    const { log } = await openLog()
    send(log, { producerId: PRODUCER, baseSequence: 0 })
    const outside = aBatch({ producerId: PRODUCER, producerEpoch: 0, baseSequence: 1 })
    expect(() => log.append(outside, CLIENT)).toThrow(code('LOG_INVALID_TXN_STATE'))
  })

  it('lets no batch overtake an earlier one whose question has to be asked again', async () => {
    const { log } = await openLog()
    const ask = (baseSequence: number, supportsEpochBump: boolean) =>
      log.startVerification({
        producerId: PRODUCER,
        producerEpoch: 0,
        baseSequence,
        supportsEpochBump,
      })!
    ask(3, false)
    const verification = ask(4, false)
    const records = (baseSequence: number) => inTransaction({ producerId: PRODUCER, baseSequence })
    expect(() => log.append(records(4), { ...CLIENT, verification })).toThrow(
      code('LOG_OUT_OF_ORDER_SEQUENCE'),
    )
    expect(log.append(records(3), { ...CLIENT, verification }).firstOffset).toBe(0)
  })

  it('begins at sequence 0 where the log knows nothing of a producer that raises its epoch each time', async () => {
    const { log } = await openLog()
    const request = { producerId: PRODUCER, producerEpoch: 4, supportsEpochBump: true }
    const verification = log.startVerification({ ...request, baseSequence: 2 })!
    const records = inTransaction({ producerId: PRODUCER, producerEpoch: 4, baseSequence: 2 })
    expect(() => log.append(records, { ...CLIENT, verification })).toThrow(
      code('LOG_OUT_OF_ORDER_SEQUENCE'),
    )
  })

  it('asks nothing of a stale epoch, which is told so', async () => {
    const { log } = await openLog()
    send(log, { producerId: PRODUCER, producerEpoch: 5, baseSequence: 0 })
    expect(() => send(log, { producerId: PRODUCER, producerEpoch: 4, baseSequence: 0 })).toThrow(
      code('LOG_INVALID_PRODUCER_EPOCH'),
    )
  })

  it('takes offset commits, which have no sequence, once the coordinator has said yes', async () => {
    const { log } = await openLog()
    const request = {
      producerId: PRODUCER,
      producerEpoch: 0,
      baseSequence: -1,
      supportsEpochBump: true,
    }
    const verification = log.startVerification(request)!
    const offsets = () => inTransaction({ producerId: PRODUCER, baseSequence: -1 })
    expect(log.append(offsets(), { ...COORDINATOR, verification }).firstOffset).toBe(0)
    expect(log.append(offsets(), COORDINATOR).firstOffset).toBe(1)
    expect(log.firstUnstableOffset).toBe(0)
  })
})

describe('which marker ends a transaction', () => {
  it('LOG-9: refuses one of an older epoch, and one of a coordinator that was replaced', async () => {
    const { log } = await openLog()
    send(log, { producerId: PRODUCER, producerEpoch: 2, baseSequence: 0 })
    const marker = { ...commit, producerId: PRODUCER, producerEpoch: 2 }
    expect(() => log.appendMarker({ ...marker, producerEpoch: 1 })).toThrow(
      code('LOG_INVALID_PRODUCER_EPOCH'),
    )
    log.appendMarker(marker)
    expect(() => log.appendMarker({ ...marker, coordinatorEpoch: 2 })).toThrow(
      code('LOG_COORDINATOR_FENCED'),
    )
    expect(log.appendMarker({ ...marker, coordinatorEpoch: 4 }).firstOffset).toBe(2)
  })

  it('LOG-9: with transaction.version=2, refuses a late one with the epoch of the transaction that is open now', async () => {
    const { log } = await openLog()
    const marker = { ...commit, producerId: PRODUCER, transactionVersion: 2 }
    send(log, { producerId: PRODUCER, producerEpoch: 0, baseSequence: 0 })
    log.appendMarker({ ...marker, producerEpoch: 1 })
    expect(log.activeProducers()[0]).toMatchObject({ producerEpoch: 1, lastSequence: -1 })
    // Nothing is open: the coordinator may have missed the answer.
    expect(log.appendMarker({ ...marker, producerEpoch: 1 }).firstOffset).toBe(2)
    send(log, { producerId: PRODUCER, producerEpoch: 1, baseSequence: 0 })
    expect(() => log.appendMarker({ ...marker, producerEpoch: 1 })).toThrow(
      code('LOG_INVALID_PRODUCER_EPOCH'),
    )
    expect(log.hasOngoingTransaction(PRODUCER)).toBe(true)
    log.appendMarker({ ...marker, producerEpoch: 2 })
    expect(log.hasOngoingTransaction(PRODUCER)).toBe(false)
  })

  it('ends nothing without a transaction, but is remembered', async () => {
    const { log } = await openLog()
    log.appendMarker({ producerId: PRODUCER, ...abort })
    expect(log.abortedTransactions(0, 10)).toEqual([])
    expect(log.activeProducers()[0]).toMatchObject({ coordinatorEpoch: 3, lastSequence: -1 })
  })
})

describe('transactions over restarts', () => {
  /** Two aborted ones in several segments, one of another producer that is open all the time, one that stays open. */
  async function fill(log: Log): Promise<void> {
    send(log, { producerId: OTHER, baseSequence: 0 }) // 0
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 4; n++) {
        send(log, {
          producerId: PRODUCER,
          baseSequence: round * 4 + n,
          values: ['x'.repeat(200)],
        })
      }
      log.appendMarker({ producerId: PRODUCER, ...abort }) // 5, 10
    }
    send(log, { producerId: PRODUCER, baseSequence: 8 }) // 11
    await settle(log)
  }

  const aborted = [
    { producerId: PRODUCER, firstOffset: 1, lastOffset: 5, lastStableOffset: 0 },
    { producerId: PRODUCER, firstOffset: 6, lastOffset: 10, lastStableOffset: 0 },
  ]

  function expectState(log: Log): void {
    expect(log.abortedTransactions(0, 20)).toEqual(aborted)
    expect(log.firstUnstableOffset).toBe(0)
    expect(log.activeProducers()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ producerId: OTHER, currentTxnStartOffset: 0 }),
        expect.objectContaining({ producerId: PRODUCER, currentTxnStartOffset: 11 }),
      ]),
    )
    log.appendMarker({ producerId: OTHER, ...commit })
    expect(log.firstUnstableOffset).toBe(0)
    log.setHighWatermark(log.logEndOffset)
    expect(log.firstUnstableOffset).toBe(11)
  }

  it('LOG-10: knows open and aborted ones after a proper restart', async () => {
    const { log, manager, disk, clock } = await openLog({ config: TINY })
    await fill(log)
    await manager.close()
    expectState((await openLog({ disk, clock, config: TINY })).log)
  })

  it('LOG-10: knows open and aborted ones after a crash', async () => {
    for (let seed = 1; seed < 20; seed++) {
      const harness = await openLog({ config: TINY })
      await fill(harness.log)
      if (seed % 2 === 0) await harness.manager.checkpoint()
      expectState((await crashAndReopen(harness, { seed, config: TINY })).log)
    }
  })

  it.each(['.txnindex', '.index'])(
    'LOG-10: finds aborted ones again when the %s of a sealed segment is damaged',
    async (suffix) => {
      const harness = await openLog({ config: TINY })
      const { log, manager, clock } = harness
      await fill(log)
      await manager.close()
      for (const file of await filesOf(harness.disk, suffix)) {
        await harness.disk.replaceFile(file, Buffer.alloc(7))
      }
      expectState((await openLog({ disk: harness.disk, clock, config: TINY })).log)
    },
  )

  it('forgets those that are cut off, and opens again what their markers had ended', async () => {
    const { log } = await openLog({ config: TINY })
    await fill(log)
    await log.truncateTo(8)
    expect(log.abortedTransactions(0, 20)).toEqual(aborted.slice(0, 1))
    const open = log.activeProducers().find(({ producerId }) => producerId === PRODUCER)
    expect(open?.currentTxnStartOffset).toBe(6)
    await log.truncateTo(1)
    expect(log.abortedTransactions(0, 20)).toEqual([])
    expect(log.firstUnstableOffset).toBe(0)
    await log.truncateTo(0)
    expect(log.firstUnstableOffset).toBeNull()
  })

  it('removes the index of a segment with the segment', async () => {
    const harness = await openLog({ config: { ...TINY, fileDeleteDelayMs: 10 } })
    const { log, clock, disk } = harness
    await fill(log)
    await log.deleteRecordsBefore(1) // waits until the segments are sealed
    const before = await filesOf(disk, '.txnindex')
    expect(before.length).toBe(1)
    await log.deleteRecordsBefore(10)
    await clock.advance(10)
    await log.flush()
    expect(await filesOf(disk, '.txnindex')).not.toContain(before[0])
    expect((await filesOf(disk, '.txnindex.deleted')).length).toBe(0)
    expect(log.abortedTransactions(10, 20)).toEqual(aborted.slice(1))
    // The one that began below the start holds nothing back there.
    expect(log.firstUnstableOffset).toBe(10)
  })

  it('writes indexes in the format of Kafka', async () => {
    const harness = await openLog({ config: TINY })
    await fill(harness.log)
    await harness.manager.close()
    const files = await filesOf(harness.disk, '.txnindex')
    const contents = await Promise.all(files.map((file) => harness.disk.readFile(file)))
    const bytes = Buffer.concat(contents.map((content) => content!)).toString('hex')
    const entry = (...offsets: number[]) =>
      ['0000', ...[PRODUCER, ...offsets].map((value) => value.toString(16).padStart(16, '0'))].join(
        '',
      )
    expect(bytes).toBe(entry(1, 5, 0) + entry(6, 10, 0))
  })
})

async function filesOf(disk: SimDisk, suffix: string): Promise<string[]> {
  const directory = `${DIRECTORY}/orders-0`
  return (await disk.list(directory))
    .filter((name) => name.endsWith(suffix))
    .map((name) => `${directory}/${name}`)
}

describe('a crash while a segment is sealed', () => {
  // The recovery point was at the very end of the segment already, and the index of offsets there without that of transactions.
  it('LOG-10: loses no aborted transaction at any disk operation', async () => {
    for (let operation = 1; operation < 40; operation++) {
      const harness = await openLog({ config: TINY })
      const { log, manager, disk } = harness
      send(log, { producerId: PRODUCER, baseSequence: 0 })
      log.appendMarker({ producerId: PRODUCER, ...abort })
      await settle(log)
      await manager.checkpoint()
      disk.options = { powerOffAt: disk.operationCount + operation }
      try {
        log.append(aBatch({ values: ['x'.repeat(600)] }), CLIENT)
        await log.flush()
        await log.applyRetention()
      } catch {
        // The power went.
      }
      const reopened = (await crashAndReopen(harness, { config: TINY, seed: operation })).log
      expect(reopened.abortedTransactions(0, 2)).toMatchObject([{ firstOffset: 0, lastOffset: 1 }])
    }
  })
})

import { batch, RecordCursor } from '@millrace/record'
import type { Log } from '../log'
import type { LogManager } from '../log-manager'
import {
  COMPACTED,
  keyedBatch,
  openCompacted,
  put,
  putBatch,
  putInTransaction,
  putMarker,
  settleLog,
  shown,
} from '../testing/compaction-fixture'
import { CLIENT, crashAndReopen, NO_LIMIT } from '../testing/log-fixture'

const PRODUCER = 7
const ABORT = { producerId: PRODUCER, producerEpoch: 0, coordinatorEpoch: 0, isCommit: false }
const COMMIT = { ...ABORT, isCommit: true }
const at = (baseSequence: number, producerId = PRODUCER) => ({ producerId, baseSequence })

async function clean(manager: LogManager, log: Log): Promise<void> {
  await settleLog(log)
  expect(await manager.cleaner.cleanAll()).toBe(1)
}

/** Offset, size and kind of every batch that is left, but those that only end segments. */
function batches(log: Log): string[] {
  const found: string[] = []
  const cursor = new RecordCursor()
  for (let offset = 0; offset < log.logEndOffset; ) {
    const { records } = log.read(offset, { ...NO_LIMIT, maxBytes: 1 })
    cursor.open(records, 0)
    const isEnd = cursor.next() && String(cursor.key()) === '~end'
    const kind = batch.isControl(records, 0) ? 'marker' : 'records'
    const horizon = batch.hasDeleteHorizon(records, 0) ? ' with horizon' : ''
    const count = batch.recordCount(records, 0)
    if (!isEnd) found.push(`${batch.lastOffset(records, 0)}: ${count} ${kind}${horizon}`)
    offset = batch.nextOffset(records, 0)
  }
  return found
}

describe('compaction of transactions', () => {
  it('COMPACT-3: drops what was aborted, and does not take it for the newest of its key', async () => {
    const { manager, log } = await openCompacted()
    put(log, ['a', '1'])
    putInTransaction(log, at(0), ['a', 'aborted'], ['b', 'aborted'])
    putMarker(log, ABORT)
    putInTransaction(log, at(2), ['c', '1'])
    putMarker(log, COMMIT)
    await clean(manager, log)
    expect(shown(log)).toEqual(['0:a=1', '4:c=1'])
    await clean(manager, log)
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual([])
  })

  it('compacts nothing from the first open transaction on', async () => {
    const { manager, log } = await openCompacted()
    put(log, ['a', '1'])
    put(log, ['a', '2'])
    putInTransaction(log, at(0), ['a', '3'])
    await clean(manager, log)
    expect(shown(log)).toEqual(['1:a=2', '2:a=3'])
    putMarker(log, ABORT)
    await clean(manager, log)
    expect(shown(log)).toEqual(['1:a=2'])
  })

  it('knows that a transaction was aborted although its marker lies behind what is compacted', async () => {
    const { manager, log } = await openCompacted()
    put(log, ['a', '1'])
    putInTransaction(log, at(0), ['a', 'aborted'])
    // The marker goes to the active segment.
    log.appendMarker({ ...ABORT, leaderEpoch: 0 })
    putInTransaction(log, at(1), ['d', '1'])
    log.appendMarker({ ...COMMIT, leaderEpoch: 0 })
    await log.flush()
    log.setHighWatermark(log.logEndOffset)
    await log.applyRetention()
    expect(await manager.cleaner.cleanAll()).toBe(1)
    expect(shown(log)).toEqual(['0:a=1', '3:d=1'])
  })

  it('COMPACT-3: keeps a marker while a batch of its transaction is there, then until the delete horizon', async () => {
    const { manager, log, clock } = await openCompacted()
    putInTransaction(log, at(0), ['a', '1'])
    putMarker(log, COMMIT)
    await clean(manager, log)
    expect(batches(log)).toEqual(['0: 1 records', '1: 1 marker'])
    put(log, ['a', '2'])
    // Another batch of the producer, so that the first one need not stay for its sequence.
    putInTransaction(log, at(1), ['x', '1'])
    putMarker(log, COMMIT)
    await clean(manager, log)
    // The cleaning that drops the last batch still saw it.
    expect(batches(log)[0]).toBe('1: 1 marker')
    await clean(manager, log)
    const rest = ['3: 1 records', '4: 1 records', '5: 1 marker']
    expect(batches(log)).toEqual(['1: 1 marker with horizon', ...rest])
    await clock.advance(999)
    await clean(manager, log)
    expect(batches(log)).toEqual(['1: 1 marker with horizon', ...rest])
    await clock.advance(1)
    await clean(manager, log)
    expect(batches(log)).toEqual(rest)
  })

  it('COMPACT-3: names an aborted transaction in the index as long as a batch of it is there', async () => {
    const harness = await openCompacted()
    const { manager, log } = harness
    putInTransaction(log, at(0), ['a', '1'])
    putMarker(log, ABORT)
    await clean(manager, log)
    // The header of the batch stays: it is the last one of its producer.
    expect(batches(log)).toEqual(['0: 0 records', '1: 1 marker'])
    const aborted = { producerId: PRODUCER, firstOffset: 0, lastOffset: 1, lastStableOffset: 2 }
    expect(log.abortedTransactions(0, 2)).toEqual([aborted])
    const reopened = await crashAndReopen(harness, { config: COMPACTED })
    expect(reopened.log.abortedTransactions(0, 2)).toEqual([aborted])
  })

  it('COMPACT-4: knows the last sequence and epoch of a producer also when its records are gone', async () => {
    const harness = await openCompacted()
    const { manager, log } = harness
    const idempotent = { producerId: 5, producerEpoch: 2 }
    putBatch(log, keyedBatch([['a', '1']], { ...idempotent, baseSequence: 0 }))
    putBatch(
      log,
      keyedBatch(
        [
          ['a', '2'],
          ['b', '1'],
        ],
        { ...idempotent, baseSequence: 1 },
      ),
    )
    put(log, ['a', '3'], ['b', '2'])
    await clean(manager, log)
    expect(shown(log)).toEqual(['3:a=3', '4:b=2'])
    expect(batches(log)).toEqual(['2: 0 records', '4: 2 records'])
    const { disk } = harness
    for (const name of await disk.list(log.directory)) {
      if (name.endsWith('.snapshot')) await disk.remove(`${log.directory}/${name}`)
    }
    const reopened = (await crashAndReopen(harness, { config: COMPACTED })).log
    const again = keyedBatch(
      [
        ['a', '2'],
        ['b', '1'],
      ],
      { ...idempotent, baseSequence: 1 },
    )
    expect(reopened.append(again, CLIENT)).toMatchObject({ isDuplicate: true, firstOffset: 1 })
    const next = keyedBatch([['a', '4']], { ...idempotent, baseSequence: 3 })
    expect(reopened.append(next, CLIENT)).toMatchObject({ isDuplicate: false })
  })

  it('does not show aborted records out of memory after the index forgot them', async () => {
    const { manager, log } = await openCompacted()
    putInTransaction(log, at(0), ['a', 'aborted'])
    putMarker(log, ABORT)
    putInTransaction(log, at(1), ['b', '1'])
    putMarker(log, COMMIT)
    await clean(manager, log)
    await clean(manager, log)
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual([])
    expect(shown(log)).toEqual(['2:b=1'])
  })
})

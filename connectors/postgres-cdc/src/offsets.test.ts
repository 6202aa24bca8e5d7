import { completedSnapshotOffset, parseOffset, snapshotOffset, streamOffset } from './offsets'

it('reads back its own offsets after JSON', () => {
  const position = { lsn: 2 ** 40 + 1, ordinal: 3, txId: 77, lsnCommit: 2 ** 40 }
  const stored = JSON.parse(JSON.stringify(streamOffset(position, 1, 'INSERT')))
  expect(parseOffset(stored)).toEqual({ kind: 'position', position })
})

it('takes a snapshot as done only when its last record is stored', () => {
  const offset = snapshotOffset(100, 7, 1)
  expect(parseOffset(offset)).toEqual({ kind: 'snapshot-cut-short' })
  expect(parseOffset(completedSnapshotOffset(offset))).toEqual({
    kind: 'position',
    position: { lsn: 100, ordinal: 0, txId: null, lsnCommit: null },
  })
})

it('goes on from an offset that Debezium stored', () => {
  const stored = {
    transaction_id: null,
    lsn_proc: 23_456,
    messageType: 'INSERT',
    lsn_commit: 23_400,
    lsn: 23_456,
    txId: 755,
    ts_usec: 1_700_000_000_000_000,
  }
  expect(parseOffset(stored)).toEqual({
    kind: 'position',
    position: { lsn: 23_456, ordinal: 0, txId: 755, lsnCommit: 23_400 },
  })
})

it('has no position without an offset', () => {
  expect(parseOffset(null)).toEqual({ kind: 'none' })
})

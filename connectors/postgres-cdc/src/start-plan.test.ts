import type { StoredState } from './offsets'
import type { Slot } from './slot'
import { planStart } from './start-plan'

const position = { lsn: 100, ordinal: 1, txId: 7, lsnCommit: 90 }
const done: StoredState = { kind: 'position', position }
const none: StoredState = { kind: 'none' }
const cut: StoredState = { kind: 'snapshot-cut-short' }
const slot: Slot = {
  plugin: 'pgoutput',
  database: 'shop',
  activePid: null,
  confirmedFlushLsn: 90,
  isLost: false,
}

it.each([
  ['initial', none, null, 'snapshot'],
  ['initial', none, slot, 'snapshot'],
  ['initial', cut, slot, 'snapshot'],
  ['initial', done, slot, 'stream'],
  ['always', done, slot, 'snapshot'],
  ['initial_only', done, null, 'idle'],
  ['initial_only', none, null, 'snapshot'],
  ['no_data', none, null, 'stream-from-slot'],
  ['never', none, slot, 'stream-from-slot'],
  ['no_data', done, slot, 'stream'],
  ['when_needed', done, slot, 'stream'],
  ['when_needed', done, null, 'snapshot'],
  ['when_needed', done, { ...slot, isLost: true }, 'snapshot'],
] as const)('%s with %o and %o: %s', (mode, stored, found, kind) => {
  expect(planStart(mode, stored, found, 'debezium').kind).toBe(kind)
})

it.each([null, { ...slot, isLost: true }])('never skips lost changes silently: %o', (found) => {
  for (const mode of ['initial', 'no_data', 'never'] as const) {
    expect(() => planStart(mode, done, found, 'debezium')).toThrow(/debezium.*when_needed/)
  }
})

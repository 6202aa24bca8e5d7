import fc from 'fast-check'
import { resumeStep, startLsn, wasGiven } from './resume'

interface Event {
  readonly lsn: number
  readonly txId: number
  readonly ordinal: number
}
interface Transaction {
  readonly txId: number
  readonly commitLsn: number
  readonly stopLsn: number
  readonly events: readonly Event[]
}

/** Transactions whose records interleave in one log; some records hold two rows. */
const logs = fc
  .array(fc.tuple(fc.nat(4), fc.boolean(), fc.boolean()), { maxLength: 60 })
  .map((steps) => {
    const open = new Map<number, Event[]>()
    const committed: Transaction[] = []
    steps.forEach(([slot, commits, isDouble], index) => {
      const lsn = 100 + index * 10
      const events = open.get(slot) ?? []
      const txId = events[0]?.txId ?? 1000 + index
      if (commits && events.length > 0) {
        committed.push({ txId, commitLsn: lsn, stopLsn: lsn + 10, events })
        open.delete(slot)
        return
      }
      events.push({ lsn, txId, ordinal: 1 })
      if (isDouble) events.push({ lsn, txId, ordinal: 2 })
      open.set(slot, events)
    })
    return committed
  })

it('gives every event exactly once, wherever the stream is cut', () => {
  fc.assert(
    fc.property(logs, fc.nat(), (log, cut) => {
      const all = log.flatMap(({ events }) => events)
      if (all.length === 0) return
      const last = all[cut % all.length]
      const owner = log.findIndex(({ txId }) => txId === last.txId)
      const stored = { ...last, lsnCommit: owner === 0 ? 50 : log[owner - 1].stopLsn }
      // What the server does: it sends whole transactions that commit at the position or later.
      const sent = log.filter(({ commitLsn }) => commitLsn >= startLsn(stored))
      let isNew = false
      const given = sent.flatMap((transaction) => {
        const step = isNew ? 'give' : resumeStep({ ...transaction, commitMicros: 0 }, stored)
        if (step === 'give') isNew = true
        if (step === 'skip') return []
        return transaction.events.filter(
          ({ lsn, ordinal }) => step === 'give' || !wasGiven(lsn, ordinal, stored),
        )
      })
      expect(given).toEqual(all.slice((cut % all.length) + 1))
    }),
    { numRuns: 500 },
  )
})

it('gives the rows of a shared LSN again when the offset does not say how many were given', () => {
  const stored = { lsn: 100, ordinal: 0, txId: 1, lsnCommit: 50 }
  expect(wasGiven(99, 1, stored)).toBe(true)
  expect(wasGiven(100, 1, stored)).toBe(false)
})

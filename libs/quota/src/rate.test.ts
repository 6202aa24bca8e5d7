import fc from 'fast-check'
import { Rate, throttleMs } from './rate'

const WINDOW = { sampleCount: 11, windowMs: 1000 }

describe('Rate', () => {
  it('does not take the first second of a client for all it does', () => {
    const rate = new Rate(WINDOW)
    rate.record(1000, 0)
    expect(rate.perSecond(0)).toBe(100)
  })

  // The figures of Kafka's own example: (600 - 500) / 500 over a window of 10.5 s.
  it('tells how long to wait until it is back at its limit', () => {
    const rate = new Rate(WINDOW)
    for (let second = 0; second < 10; second++) {
      rate.record(400, second * 1000)
      expect(throttleMs(rate, 500, second * 1000)).toBe(0)
    }
    rate.record(0, 10_000)
    rate.record(2300, 10_500)
    expect(rate.spanMs(10_500)).toBe(10_500)
    expect(rate.perSecond(10_500)).toBe(600)
    expect(throttleMs(rate, 500, 10_500)).toBe(2100)
    // The burst still lies in one sample: it is over only when the older ones are forgotten, or it is.
    expect(throttleMs(rate, 500, 12_600)).toBeLessThan(2100)
    expect(throttleMs(rate, 500, 21_500)).toBe(0)
  })

  it('forgets what happened before its window', () => {
    const rate = new Rate(WINDOW)
    rate.record(1_000_000, 0)
    expect(rate.perSecond(10_999)).toBeGreaterThan(0)
    expect(rate.perSecond(11_000)).toBe(0)
  })

  it('takes back what is recorded negatively', () => {
    const rate = new Rate(WINDOW)
    rate.record(10, 0)
    rate.record(5000, 100)
    rate.record(-5000, 100)
    expect(rate.perSecond(100)).toBeCloseTo(1, 1)
  })

  it('needs no more than one sample', () => {
    const rate = new Rate({ sampleCount: 1, windowMs: 1000 })
    rate.record(5, 0)
    expect(rate.perSecond(0)).toBe(5000) // nothing is known of the time before
    expect(rate.perSecond(500)).toBe(10)
  })

  const events = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 4000 }),
      amount: fc.integer({ min: 0, max: 900 }),
    }),
    { minLength: 1, maxLength: 60 },
  )

  it('counts at least what lies in the window, and nothing that is older than two samples more', () => {
    fc.assert(
      fc.property(events, (list) => {
        const rate = new Rate(WINDOW)
        const past: { atMs: number; amount: number }[] = []
        let nowMs = 0
        for (const { afterMs, amount } of list) {
          nowMs += afterMs
          rate.record(amount, nowMs)
          past.push({ atMs: nowMs, amount })
          const since = (ms: number) =>
            past.reduce((sum, event) => (nowMs - event.atMs < ms ? sum + event.amount : sum), 0)
          const counted = (rate.perSecond(nowMs) * rate.spanMs(nowMs)) / 1000
          expect(counted).toBeGreaterThanOrEqual(since(10_000) - 1e-6)
          expect(counted).toBeLessThanOrEqual(since(13_001) + 1e-6)
        }
      }),
    )
  })
})

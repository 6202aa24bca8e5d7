import { systemClock } from './clock'

const DAY_MS = 86_400_000

describe('systemClock', () => {
  beforeEach(() => jest.useFakeTimers())
  afterEach(() => jest.useRealTimers())

  // Node runs a timer of more than 24.8 days after a millisecond: intervals without end became loops without rest.
  it('waits as long as it is told, also for months and for ever', () => {
    const runs: string[] = []
    systemClock.schedule(60 * DAY_MS, () => runs.push('months'))
    systemClock.schedule(Infinity, () => runs.push('never'))
    jest.advanceTimersByTime(60 * DAY_MS - 1)
    expect(runs).toEqual([])
    jest.advanceTimersByTime(1)
    expect(runs).toEqual(['months'])
    jest.advanceTimersByTime(365 * DAY_MS)
    expect(runs).toEqual(['months'])
  })

  it('runs nothing that was cancelled, in whatever part of the wait', () => {
    const action = jest.fn()
    const timer = systemClock.schedule(60 * DAY_MS, action)
    jest.advanceTimersByTime(59 * DAY_MS)
    timer.cancel()
    jest.advanceTimersByTime(2 * DAY_MS)
    expect(action).not.toHaveBeenCalled()
  })
})

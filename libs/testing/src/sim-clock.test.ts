import { SimClock } from './sim-clock'

describe('SimClock', () => {
  it('runs what falls due in order of time, then of scheduling, each at its own time', async () => {
    const clock = new SimClock(1000)
    const ran: [string, number][] = []
    const run = (name: string) => () => ran.push([name, clock.now()])
    clock.schedule(20, run('late'))
    clock.schedule(10, run('first'))
    clock.schedule(10, run('second'))
    clock.schedule(31, run('never'))
    await clock.advance(30)
    expect(ran).toEqual([
      ['first', 1010],
      ['second', 1010],
      ['late', 1020],
    ])
    expect([clock.now(), clock.monotonicMs(), clock.pendingCount]).toEqual([1030, 30, 1])
  })

  it('runs what a due action schedules within the same advance', async () => {
    const clock = new SimClock()
    let count = 0
    const again = () => {
      count++
      clock.schedule(10, again)
    }
    clock.schedule(10, again)
    await clock.advance(55)
    expect(count).toBe(5)
  })

  it('forgets a cancelled timer and an aborted sleep', async () => {
    const clock = new SimClock()
    let hasRun = false
    clock.schedule(1, () => (hasRun = true)).cancel()
    const abort = new AbortController()
    const sleeping = clock.sleep(1, abort.signal)
    abort.abort(new Error('stopped'))
    await expect(sleeping).rejects.toThrow('stopped')
    await expect(clock.sleep(1, abort.signal)).rejects.toThrow('stopped')
    await clock.advance(10)
    expect([hasRun, clock.pendingCount]).toEqual([false, 0])
  })
})

import { systemClock } from '@millrace/base'
import { Wakeup } from './wakeup'

describe('a wakeup', () => {
  it('ends the wait', async () => {
    const wakeup = new Wakeup(systemClock)
    const waiting = wakeup.wait(Infinity)
    wakeup.wake()
    await expect(waiting).resolves.toBeUndefined()
  })

  it('is not missed by who waits later, once', async () => {
    const wakeup = new Wakeup(systemClock)
    wakeup.wake()
    wakeup.wake()
    await wakeup.wait(Infinity)
    const startMs = performance.now()
    await wakeup.wait(20)
    expect(performance.now() - startMs).toBeGreaterThan(15)
  })

  it('after the time is over counts for the next wait', async () => {
    const wakeup = new Wakeup(systemClock)
    await wakeup.wait(1)
    wakeup.wake()
    await expect(wakeup.wait(Infinity)).resolves.toBeUndefined()
  })
})

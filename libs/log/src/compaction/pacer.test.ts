import { SimClock } from '@millrace/testing'
import { Pacer } from './pacer'
import { Throttle } from './throttle'

describe('Pacer', () => {
  it('says when a slice is over, and begins a new one in a later turn', async () => {
    const clock = new SimClock()
    const pacer = new Pacer(clock)
    await clock.advance(1)
    expect(pacer.isOver).toBe(false)
    await clock.advance(1)
    expect(pacer.isOver).toBe(true)
    let hasTurned = false
    setImmediate(() => (hasTurned = true))
    await pacer.nextSlice()
    expect(hasTurned).toBe(true)
    expect(pacer.isOver).toBe(false)
  })

  it('gives those who work at the same time a turn each', async () => {
    const pacer = new Pacer(new SimClock())
    const order: string[] = []
    const work = async (name: string) => {
      await pacer.nextSlice()
      order.push(name)
      setImmediate(() => order.push('others'))
    }
    await Promise.all([work('first'), work('second'), work('third')])
    expect(order).toEqual(['first', 'others', 'second', 'others', 'third'])
  })
})

describe('Throttle', () => {
  const { signal } = new AbortController()

  it('lets as many bytes through in a second as it may', async () => {
    const clock = new SimClock()
    const throttle = new Throttle(clock, 1000)
    let taken = 0
    const work = (async () => {
      for (; taken < 50; taken++) await throttle.take(100, signal)
    })()
    await clock.advance(1000)
    expect(taken).toBe(10)
    await clock.advance(4000)
    await work
  })

  it('collects no credit while nothing is to do', async () => {
    const clock = new SimClock()
    const throttle = new Throttle(clock, 1000)
    await clock.advance(60_000)
    let isThrough = false
    const work = throttle.take(2000, signal).then(() => (isThrough = true))
    await clock.advance(1999)
    expect(isThrough).toBe(false)
    await clock.advance(1)
    await work
  })

  it('ends its wait when it is given up', async () => {
    const abort = new AbortController()
    const waiting = new Throttle(new SimClock(), 1).take(1000, abort.signal)
    abort.abort(new Error('given up'))
    await expect(waiting).rejects.toThrow('given up')
  })
})

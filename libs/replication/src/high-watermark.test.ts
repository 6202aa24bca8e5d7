import { nextHighWatermark } from './high-watermark'

describe('nextHighWatermark', () => {
  it('is the lowest offset that every in-sync replica has made safe (ACK-2)', () => {
    expect(nextHighWatermark(0, [12])).toBe(12)
    expect(nextHighWatermark(5, [12, 9, 30])).toBe(9)
  })

  it('never moves backwards when a slower replica joins', () => {
    expect(nextHighWatermark(10, [12, 4])).toBe(10)
  })

  it('stays where it is while no replica is in sync', () => {
    expect(nextHighWatermark(7, [])).toBe(7)
  })
})

import { ReadBuffers } from './read-buffers'

describe('ReadBuffers', () => {
  it('gives the same memory again once it was given back, by any part of it', () => {
    const buffers = new ReadBuffers()
    const first = buffers.take(1 << 20)
    expect(first.length).toBe(1 << 20)
    buffers.giveBack(first.subarray(100, 200))
    const second = buffers.take(900_000)
    expect(second.buffer).toBe(first.buffer)
    expect(second.length).toBe(900_000)
  })

  it('never gives memory to two owners', () => {
    const buffers = new ReadBuffers()
    const first = buffers.take(50_000)
    buffers.giveBack(first)
    buffers.giveBack(first)
    const [second, third] = [buffers.take(50_000), buffers.take(50_000)]
    expect(second.buffer).not.toBe(third.buffer)
  })

  it('does not keep what it did not give, nor more than its bound', () => {
    const buffers = new ReadBuffers()
    buffers.giveBack(Buffer.alloc(1 << 20))
    expect(buffers.freeBytes).toBe(0)
    const taken = Array.from({ length: 40 }, () => buffers.take(1 << 20))
    for (const buffer of taken) buffers.giveBack(buffer)
    expect(buffers.freeBytes).toBeGreaterThan(8 << 20)
    expect(buffers.freeBytes).toBeLessThanOrEqual(16 << 20)
  })

  it.each([1, 100, 40_000, 65_536, 65_537, 2 << 20])('gives exactly %i bytes', (bytes) => {
    expect(new ReadBuffers().take(bytes).length).toBe(bytes)
  })
})

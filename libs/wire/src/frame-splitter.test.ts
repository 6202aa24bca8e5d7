import fc from 'fast-check'
import { FrameSplitter } from './frame-splitter'

describe('FrameSplitter', () => {
  it('cuts the same frames out of the bytes, however they come in', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)))
    fc.assert(
      fc.property(
        frames,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (sent, cuts) => {
          const splitter = new FrameSplitter({ maxFrameBytes: 60 })
          const received: Buffer[] = []
          for (const chunk of cutUp(Buffer.concat(sent.map(framed)), cuts)) {
            splitter.push(chunk)
            received.push(...drain(splitter))
          }
          expect(received).toEqual(sent)
        },
      ),
    )
  })

  it('keeps chunks that it was not asked about yet', () => {
    const splitter = new FrameSplitter({ maxFrameBytes: 10 })
    const bytes = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))])
    for (const chunk of cutUp(bytes, [5])) splitter.push(chunk)
    expect(drain(splitter).map(String)).toEqual(['one', 'two'])
  })

  it('answers a frame inside one chunk as a view of it', () => {
    const splitter = new FrameSplitter({ maxFrameBytes: 10 })
    const chunk = framed(Buffer.from('abc'))
    splitter.push(chunk)
    expect(splitter.next()!.buffer).toBe(chunk.buffer)
    expect(splitter.next()).toBeNull()
  })

  it('gathers a frame from many chunks in one buffer of its size', () => {
    const body = Buffer.alloc(300_000, 'x')
    const splitter = new FrameSplitter({ maxFrameBytes: body.length })
    for (const chunk of cutUp(framed(body), [65_536])) splitter.push(chunk)
    const frame = splitter.next()!
    expect(frame.equals(body)).toBe(true)
    expect(frame.buffer.byteLength).toBe(body.length)
  })

  it.each([-1, 101, 0x7fffffff, -0x80000000])(
    'refuses a frame of %d bytes before it comes',
    (size) => {
      const splitter = new FrameSplitter({ maxFrameBytes: 100 })
      const field = Buffer.alloc(4)
      field.writeInt32BE(size)
      splitter.push(field)
      expect(() => splitter.next()).toThrow(
        expect.objectContaining({
          code: 'WIRE_FRAME_SIZE',
          message: `a frame of ${size} bytes was announced; allowed are 0 to 100`,
        }),
      )
    },
  )
})

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

/** Pieces of the given sizes, over and over, until the bytes are used up. */
function cutUp(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += sizes[(pieces.length - 1) % sizes.length]) {
    pieces.push(bytes.subarray(at, at + sizes[pieces.length % sizes.length]))
  }
  return pieces
}

function drain(splitter: FrameSplitter): Buffer[] {
  const frames: Buffer[] = []
  for (let frame = splitter.next(); frame !== null; frame = splitter.next()) frames.push(frame)
  return frames
}

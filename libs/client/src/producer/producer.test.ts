import { Delivery } from './delivery'
import { murmur2, partitionOfKey } from './murmur2'
import { PartitionQueue } from './partition-queue'
import { PendingBatch } from './pending-batch'
import { Codec, batch, RecordCursor } from '@millrace/record'

const IDENTITY = { producerId: 7, producerEpoch: 0 }

function aBatch(values: readonly string[]): PendingBatch {
  const pending = new PendingBatch(Codec.none, 0)
  for (const value of values) pending.append(1, null, Buffer.from(value), undefined)
  return pending
}

describe('murmur2', () => {
  // The vectors of Kafka's own UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as Java does', (text, expected) => {
    expect(murmur2(Buffer.from(text))).toBe(expected)
  })

  it('gives a partition that is never negative', () => {
    for (let n = 0; n < 1000; n += 1) {
      const partition = partitionOfKey(Buffer.from(`key-${n}`), 7)
      expect(partition >= 0 && partition < 7).toBe(true)
    }
  })
})

describe('PartitionQueue', () => {
  const ready = () => true

  it('numbers batches in the order in which they are first sent', () => {
    const queue = new PartitionQueue('t', 0)
    const [first, second] = [aBatch(['a', 'b']), aBatch(['c'])]
    queue.waiting.push(first, second)
    queue.take(first, IDENTITY)
    queue.take(second, IDENTITY)
    expect([first.baseSequence, second.baseSequence]).toEqual([0, 2])
  })

  it('sends a second batch only when the log has taken the first one of the identity', () => {
    const queue = new PartitionQueue('t', 0)
    const [first, second, third] = [aBatch(['a']), aBatch(['b']), aBatch(['c'])]
    queue.waiting.push(first, second, third)
    queue.take(first, IDENTITY)
    expect(queue.peek(0, ready)).toBeNull()
    queue.onAcknowledged(first)
    queue.take(second, IDENTITY)
    expect(queue.peek(0, ready)).toBe(third)
  })

  it('sends failed batches again in order, one at a time, before anything new', () => {
    const queue = new PartitionQueue('t', 0)
    const [first, second, third] = [aBatch(['a']), aBatch(['b']), aBatch(['c'])]
    queue.waiting.push(first, second, third)
    queue.take(first, IDENTITY)
    queue.take(second, IDENTITY)
    queue.onFailed(second)
    expect(queue.peek(0, ready)).toBeNull() // the first is still on its way
    queue.onFailed(first)
    expect(queue.peek(0, ready)).toBe(first)
    queue.take(first, IDENTITY)
    expect(queue.peek(0, ready)).toBeNull()
    queue.inFlight.delete(first)
    expect(queue.peek(0, ready)).toBe(second)
  })

  it('waits for the back-off of a failed batch', () => {
    const queue = new PartitionQueue('t', 0)
    const only = aBatch(['a'])
    queue.waiting.push(only)
    queue.take(only, IDENTITY)
    only.notBeforeMs = 100
    queue.onFailed(only)
    expect([queue.peek(99, ready), queue.peek(100, ready)]).toEqual([null, only])
  })

  it('knows the first unacknowledged batch across the point where sequences start over', () => {
    const queue = new PartitionQueue('t', 0)
    const [last, wrapped] = [aBatch(['a']), aBatch(['b'])]
    last.seal(IDENTITY, 2 ** 31 - 1)
    wrapped.seal(IDENTITY, 0)
    queue.onFailed(wrapped)
    queue.onFailed(last)
    expect(queue.retries).toEqual([last, wrapped])
    expect([queue.isFirst(last), queue.isFirst(wrapped)]).toEqual([true, false])
  })

  it('replaces a batch that is too large by halves that keep its place in the sequence', () => {
    const queue = new PartitionQueue('t', 0)
    const [large, next] = [aBatch(['a', 'b', 'c']), aBatch(['d'])]
    queue.waiting.push(large, next)
    queue.take(large, IDENTITY)
    queue.take(next, IDENTITY)
    queue.replace(large, large.split(Codec.none), IDENTITY)
    expect(queue.retries.map((half) => [half.baseSequence, half.recordCount])).toEqual([
      [0, 2],
      [2, 1],
    ])
    expect(next.baseSequence).toBe(3)
    const cursor = new RecordCursor()
    cursor.open(queue.retries[1].bytes, 0)
    cursor.next()
    expect(String(cursor.value())).toBe('c')
    expect(batch.isCrcValid(queue.retries[1].bytes, 0)).toBe(true)
  })

  it('begins at sequence 0 under a new identity', () => {
    const queue = new PartitionQueue('t', 0)
    const [failed, later] = [aBatch(['a', 'b']), aBatch(['c'])]
    queue.waiting.push(aBatch(['x', 'y', 'z']), failed, later)
    const first = queue.waiting[0]
    queue.take(first, IDENTITY)
    queue.inFlight.delete(first)
    queue.take(failed, IDENTITY)
    queue.onFailed(failed)
    const renewed = { producerId: 8, producerEpoch: 0 }
    queue.restart(renewed)
    expect([failed.baseSequence, batch.producerId(failed.bytes, 0)]).toEqual([0, 8])
    queue.take(failed, renewed)
    queue.inFlight.delete(failed)
    queue.take(later, renewed)
    expect(later.baseSequence).toBe(2)
  })
})

describe('Delivery', () => {
  const nothing = () => undefined

  it('is done when every batch that holds its records is acknowledged', async () => {
    const delivery = new Delivery(nothing, nothing)
    delivery.onHeld()
    delivery.onHeld()
    let isDone = false
    const waiting = delivery.done().then(() => {
      isDone = true
    })
    delivery.onAcknowledged()
    await Promise.resolve()
    expect(isDone).toBe(false)
    delivery.onAcknowledged()
    await waiting
    expect(isDone).toBe(true)
  })

  it('is done at once without records, and rejects with what ended the producer, whenever that was', async () => {
    await new Delivery(nothing, nothing).done()
    const failed = new Delivery(nothing, nothing)
    failed.onHeld()
    failed.onFailed(new Error('fenced'))
    await expect(failed.done()).rejects.toThrow('fenced')
    expect(() => failed.add('t', 0, 0, null, null)).toThrow(/after done/)
  })
})

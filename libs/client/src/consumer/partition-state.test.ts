import type { FetchedBatches } from '../options'
import { PartitionSet, PartitionState } from './partition-state'

const T0 = { topic: 't', partition: 0 }
const T1 = { topic: 't', partition: 1 }
const BATCHES: FetchedBatches[] = [
  { ...T0, highWatermark: 9, fromOffset: 0, records: Buffer.alloc(61) },
]

function aPositioned(): PartitionState {
  const state = new PartitionState(T0)
  state.onPosition(0)
  return state
}

describe('the state of a partition', () => {
  it('is fetchable with a position, until something is fetched, and again when that was taken', () => {
    const state = new PartitionState(T0)
    expect(state.isFetchable).toBe(false)
    state.onPosition(0)
    expect(state.isFetchable).toBe(true)
    state.onFetched(BATCHES, 5, 1)
    expect(state.isFetchable).toBe(false)
    expect(state.position).toBe(0)
    expect(state.take()).toBe(BATCHES)
    expect(state.position).toBe(5)
    expect(state.isFetchable).toBe(true)
    expect(state.take()).toEqual([])
  })

  it('moves on when a fetch gave nothing to hand out', () => {
    const state = aPositioned()
    state.onFetched([], 7, 1)
    expect(state.position).toBe(7)
    expect(state.isFetchable).toBe(true)
  })

  it('waits after a failure that may pass, and counts failures until a success', () => {
    const state = aPositioned()
    state.onRetry()
    expect(state.isFetchable).toBe(false)
    state.onRetryDue()
    expect(state.isFetchable).toBe(true)
    state.onRetry()
    expect(state.attemptCount).toBe(2)
    state.onFetched([], 0, 1)
    expect(state.attemptCount).toBe(0)
    expect(state.isFetchable).toBe(true)
  })

  it('hands a failure out once, and is not fetched before', () => {
    const state = aPositioned()
    const failure = new Error('no right')
    state.onFailure(failure)
    expect(state.isFetchable).toBe(false)
    expect(state.takeFailure()).toBe(failure)
    expect(state.takeFailure()).toBeNull()
    expect(state.isFetchable).toBe(true)
  })

  it('drops what was fetched and every failure with a seek', () => {
    const state = aPositioned()
    const { epoch } = state
    state.onFetched(BATCHES, 5, 1)
    state.onFailure(new Error('no right'))
    state.onRetry()
    state.seek(3)
    expect(state.epoch).not.toBe(epoch)
    expect(state.take()).toEqual([])
    expect(state.takeFailure()).toBeNull()
    expect(state.position).toBe(3)
    expect(state.isFetchable).toBe(true)
  })

  it('holds nothing while it is paused, and goes on from the same position', () => {
    const state = aPositioned()
    state.onFetched(BATCHES, 5, 1)
    state.pause()
    expect(state.hasFetched).toBe(false)
    expect(state.isFetchable).toBe(false)
    state.resume()
    expect(state.position).toBe(0)
    expect(state.isFetchable).toBe(true)
  })
})

describe('the set of assigned partitions', () => {
  it('keeps the state of partitions that stay, and starts over for those that come back', () => {
    const set = new PartitionSet()
    set.replace([T0, T1])
    const first = set.get(T0)!
    const second = set.get(T1)!
    set.replace([T1])
    expect(set.get(T1)).toBe(second)
    expect(set.isCurrent(first, first.epoch)).toBe(false)
    set.replace([T0, T1])
    expect(set.get(T0)).not.toBe(first)
    expect(set.isCurrent(first, first.epoch)).toBe(false)
    expect(set.isCurrent(second, second.epoch)).toBe(true)
  })

  it('asks for a partition that gave data after the others', () => {
    const set = new PartitionSet()
    set.replace([T0, T1])
    set.yield(set.get(T0)!)
    expect(set.list()).toEqual([T1, T0])
  })

  it('does not take back a partition that was given up meanwhile', () => {
    const set = new PartitionSet()
    set.replace([T0])
    const state = set.get(T0)!
    set.clear()
    set.yield(state)
    expect(set.list()).toEqual([])
  })
})

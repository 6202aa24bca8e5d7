import { errorCode } from '@millrace/base'
import { SerialQueue } from './serial-queue'

describe('SerialQueue', () => {
  // A worker that had lost its place kept its tasks running, and one that had read a change never acted on it again.
  it('gives a step of the worker its turn however many requests wait', async () => {
    const queue = new SerialQueue()
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const done: string[] = []
    const requests = Array.from({ length: 1_001 }, () =>
      queue.request(() => gate).then(() => 'done', errorCode),
    )
    const step = queue.run(async () => void done.push('step'))
    open()
    const outcomes = await Promise.all(requests)
    await step
    expect(outcomes.slice(-2)).toEqual(['done', 'CONNECT_TIMED_OUT'])
    expect(done).toEqual(['step'])
  })

  it('goes on after an action that fails', async () => {
    const queue = new SerialQueue()
    const failing = queue.run(() => Promise.reject(new Error('no')))
    const next = queue.run(async () => 'next')
    await expect(failing).rejects.toThrow('no')
    await expect(next).resolves.toBe('next')
  })
})

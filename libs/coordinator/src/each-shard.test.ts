import { silentLogger } from '@millrace/telemetry'
import { ErrorCode } from '@millrace/wire'
import { onEachShard } from './each-shard'

it('a task runs on all shards that serve, though one hangs and another fails', async () => {
  const shards = [ErrorCode.NONE, ErrorCode.NONE, ErrorCode.NOT_COORDINATOR, ErrorCode.NONE].map(
    (error, partition) => ({ partition, error }),
  )
  const done: number[] = []
  let goOn = () => {}
  const hanging = new Promise<void>((resolve) => (goOn = resolve))
  const all = onEachShard({ shards, logger: silentLogger }, 'do this', async ({ partition }) => {
    if (partition === 0) await hanging
    if (partition === 1) throw new Error('no')
    done.push(partition)
  })
  await Promise.resolve()
  expect(done).toEqual([3])
  goOn()
  await all
  expect(done).toEqual([3, 0])
})

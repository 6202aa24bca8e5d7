import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SINK_NAME, SOURCE_NAME } from '../../../examples/postgres-to-s3/connectors'
import { BucketReader, FolderReader } from '../../../examples/postgres-to-s3/objects'
import { startFaultProxy } from '../../../connectors/s3/test/fault-proxy'
import { findS3, startS3 } from '../../peers/s3'
import { CleanUps, describeWithPostgres, describeWithS3AndPostgres } from './harness'
import { keepBusy, Pipeline } from './pipeline'
import { eventually } from '../wait'

const ROWS = 2_000
const POSTGRES_OUTAGE_MS = 3_000
/** Half a minute takes the same path, only longer: MILLRACE_S3_OUTAGE_MS=30000. */
const S3_OUTAGE_MS = Number(process.env.MILLRACE_S3_OUTAGE_MS ?? 5_000)

jest.setTimeout(120_000)

const cleanUps = new CleanUps()
afterEach(() => cleanUps.run())

/** Sells until `stop`; a sale that a server's end interrupts may be made or not. */
function keepSelling(pipeline: Pipeline): { stop(): Promise<number> } {
  const commit = async () => {
    await pipeline.shop.sell()
    return 1
  }
  return keepBusy(commit, { pauseMs: 5, mayFail: true })
}

describeWithPostgres('when Postgres goes away and comes back', () => {
  it('the status tells the cause meanwhile, and the pipeline goes on by itself without a loss', async () => {
    const objects = new FolderReader(join(cleanUps.directory(), 'objects'))
    const pipeline = await Pipeline.start(cleanUps, { rows: ROWS, objects })
    await pipeline.explain(async () => {
      await eventually(async () => expect(await pipeline.isSnapshotDone()).toBe(true))
      const sales = keepSelling(pipeline)
      await sleep(500)
      await pipeline.postgres.kill()
      expect(await pipeline.untilTrouble(SOURCE_NAME)).toMatch(
        /Postgres|ECONNREFUSED|Connection terminated/,
      )
      await sleep(POSTGRES_OUTAGE_MS)
      await pipeline.postgres.restart()
      await pipeline.untilRunning()
      await sleep(500)
      await pipeline.untilComplete(await sales.stop())
      await pipeline.untilRunning()
    })
  })
})

describeWithS3AndPostgres('when S3 answers 503 for a while', () => {
  it('the status tells the cause meanwhile, and the pipeline goes on by itself without a loss', async () => {
    const home = findS3()
    if ('missing' in home) throw new Error(home.missing)
    const server = await startS3(home)
    cleanUps.add(() => server.stop())
    const proxy = await startFaultProxy(server.url)
    cleanUps.add(() => proxy.close())
    const objects = new BucketReader(server.url, 'outage', 'run', server)
    cleanUps.add(() => objects.close())
    await objects.createBucket()
    const sinkConfig = {
      'store.url': proxy.url,
      'aws.access.key.id': server.accessKeyId,
      'aws.secret.access.key': server.secretAccessKey,
    }
    const pipeline = await Pipeline.start(cleanUps, { rows: ROWS, objects, sinkConfig })
    await pipeline.explain(async () => {
      await eventually(async () => expect(await objects.count()).toBeGreaterThan(0))
      const sales = keepSelling(pipeline)
      const end = proxy.fault('busy')
      const startedMs = Date.now()
      expect(await pipeline.untilTrouble(SINK_NAME)).toMatch(/503/)
      await sleep(S3_OUTAGE_MS - (Date.now() - startedMs))
      expect(await pipeline.recordCount()).toBeGreaterThan(ROWS) // the source is not held up
      end()
      await pipeline.untilComplete(await sales.stop())
      await pipeline.untilRunning()
    })
  })
})

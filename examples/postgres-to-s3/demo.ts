/**
 * Postgres changes through Millrace into S3 objects, on real servers.
 *
 *   npm run demo                                                    a shop that sells until Ctrl-C
 *   npm run demo -- --once --rows 500000 --changes 200000 --json    a fixed amount, verified row by row
 *
 * MILLRACE_PG_URL takes a Postgres of yours (wal_level=logical); MILLRACE_S3_URL an S3 server, with the usual AWS variables and
 * MILLRACE_S3_BUCKET (millrace-demo).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startPostgres } from '../../test/peers/postgres.ts'
import {
  connectorConfigs,
  SLOT_NAME,
  PUBLICATION_NAME,
  SINK_NAME,
  SOURCE_NAME,
  TOPIC_PREFIX,
} from './connectors.ts'
import { Millrace } from './millrace.ts'
import { BucketReader, FolderReader, type ObjectReader } from './objects.ts'
import { Progress } from './progress.ts'
import { mostChanges, Shop } from './shop.ts'
import { verify } from './verify.ts'

const NUMBER_MAX = 1_000_000_000
const USAGE = `Usage: npm run demo -- [options]

  --rows N      rows in Postgres before the connectors start [10000]
  --once        send a fixed amount, compare the objects with the database, and end
  --changes N   with --once: row changes to stream after the snapshot [2000]
  --json        with --once: print nothing but the result
`
const args = readArguments()
const { rows, changes } = args

const cleanUps: (() => Promise<void> | void)[] = []
let isStopping = false
const stopped = new Promise<void>((resolve) => {
  const stop = () => {
    isStopping = true
    resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // Whoever read the output is gone, as in `npm run demo | head`: clean up all the same.
  for (const output of [process.stdout, process.stderr]) output.on('error', stop)
})

try {
  await main()
} catch (error) {
  // Ctrl-C in a terminal ends Postgres and Millrace too: what fails from then on is no news.
  if (!isStopping || args.once) {
    process.stderr.write(`demo: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp()
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-demo-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const progress = new Progress(args.json)

  const databaseUrl = await openDatabase(progress)
  const shop = new Shop(databaseUrl)
  cleanUps.push(() => shop.close())
  await shop.create(rows)
  progress.say(`shop: ${rows.toLocaleString('en')} rows in Postgres`)

  const objects = await openObjects(folder)
  const millrace = await Millrace.start(join(folder, 'data'))
  cleanUps.push(async () => void (await millrace.stop()))
  if (process.env.MILLRACE_PG_URL)
    cleanUps.splice(-1, 0, () => shop.drop(SLOT_NAME, PUBLICATION_NAME))
  progress.say(`millrace: kafka ${millrace.addresses.kafka}, connect ${millrace.addresses.connect}`)
  progress.say(`objects: ${objects.place}`)
  progress.say(`page: ${millrace.addresses.admin}`)

  const { source, sink } = connectorConfigs(databaseUrl, objects.sinkConfig, rows + changes)
  await millrace.createConnector(SOURCE_NAME, source)
  await millrace.createConnector(SINK_NAME, sink)

  if (args.once) await runOnce({ shop, millrace, objects, progress })
  else await runUntilStopped({ shop, millrace, objects, progress })
}

interface Stage {
  readonly shop: Shop
  readonly millrace: Millrace
  readonly objects: ObjectReader
  readonly progress: Progress
}

async function runUntilStopped({ shop, millrace, objects, progress }: Stage): Promise<void> {
  const selling = sellUntilStopped(shop, progress)
  while (!isStopping) {
    await progress.show(millrace, objects)
    await Promise.race([stopped, sleep(1000)])
  }
  progress.say('stopping')
  await selling
}

/** Never rejects: a Postgres that is away for a while only closes the shop for as long. */
async function sellUntilStopped(shop: Shop, progress: Progress): Promise<void> {
  while (!isStopping) {
    try {
      await shop.sell()
      await sleep(10)
    } catch (error) {
      if (!isStopping) progress.say(`shop: ${(error as Error).message}`)
      await Promise.race([stopped, sleep(1000)])
    }
  }
}

/** A fixed amount: everything is over when the sink has committed what the source wrote. */
async function runOnce({ shop, millrace, objects, progress }: Stage): Promise<void> {
  const startedMs = Date.now()
  // The first row in the log says that the snapshot was taken: every change from now on is streamed.
  while ((await recordCount(millrace)) === 0) await waitOrStop(20)
  const churning = shop.churn(changes)
  const deletes = Math.ceil((changes - 1) / 5) // the second of every five changes
  const total = rows + changes + deletes // a delete is followed by a tombstone
  const [milestones] = await Promise.all([
    watchTopics(millrace, objects, progress, { rows, total }),
    churning, // changes that failed would be waited for in vain
  ])
  while ((await millrace.sinkOffset(SINK_NAME)) < total) {
    await progress.show(millrace, objects)
    await waitOrStop(200)
  }
  const seconds = (Date.now() - startedMs) / 1000
  const rssMb = millrace.peakRssMb()
  progress.say('comparing the objects with the database')
  const { firstRowMs, firstChangeMs, ...verdict } = await verify(shop, objects, { rows, changes })
  const result = {
    rows,
    changes,
    ...verdict,
    snapshot_rows_per_s: Math.round(rows / ((milestones.rowsMs - firstRowMs) / 1000)),
    stream_changes_per_s: Math.round(changes / ((milestones.totalMs - firstChangeMs) / 1000)),
    seconds: Number(seconds.toFixed(2)),
    rss_mb: rssMb,
  }
  progress.finish()
  process.stdout.write(`${JSON.stringify(result)}\n`)
  if (verdict.lost > 0 || verdict.out_of_order > 0) process.exitCode = 1
}

/** When the log had acknowledged all rows, and when it had everything. */
async function watchTopics(
  millrace: Millrace,
  objects: ObjectReader,
  progress: Progress,
  goal: { readonly rows: number; readonly total: number },
): Promise<{ rowsMs: number; totalMs: number }> {
  let rowsMs = 0
  for (let round = 0; ; round += 1) {
    const count = await recordCount(millrace)
    if (rowsMs === 0 && count >= goal.rows) rowsMs = Date.now()
    if (count >= goal.total) return { rowsMs, totalMs: Date.now() }
    if (round % 20 === 0) await progress.show(millrace, objects)
    await waitOrStop(50)
  }
}

async function recordCount(millrace: Millrace): Promise<number> {
  const topics = await millrace.topics(`${TOPIC_PREFIX}.`)
  return topics.reduce((sum, { offsetCount }) => sum + offsetCount, 0)
}

async function waitOrStop(delayMs: number): Promise<void> {
  await Promise.race([stopped, sleep(delayMs)])
  if (isStopping) throw new Error('stopped before everything was through')
}

async function openDatabase(progress: Progress): Promise<string> {
  if (process.env.MILLRACE_PG_URL) return process.env.MILLRACE_PG_URL
  const postgres = await startPostgres()
  if ('missing' in postgres) {
    throw new Error(
      `no Postgres to run with (${postgres.missing}); set MILLRACE_PG_URL to one of yours`,
    )
  }
  cleanUps.push(() => postgres.stop())
  progress.say(`postgres: ${postgres.url}`)
  return postgres.url
}

async function openObjects(folder: string): Promise<ObjectReader> {
  const url = process.env.MILLRACE_S3_URL
  if (!url) return new FolderReader(join(folder, 'objects'))
  const bucket = new BucketReader(
    url,
    process.env.MILLRACE_S3_BUCKET ?? 'millrace-demo',
    `run-${Date.now()}`,
  )
  await bucket.createBucket()
  return bucket
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        rows: { type: 'string', default: '10000' },
        changes: { type: 'string', default: '2000' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(USAGE)
      process.exit(0)
    }
    const rows = wholeNumber('--rows', values.rows, 2)
    const changes = wholeNumber('--changes', values.changes, 0)
    if (values.once && changes > mostChanges(rows)) {
      throw new RangeError(
        `--rows ${rows} is enough for ${mostChanges(rows)} changes, not for --changes ${changes}`,
      )
    }
    return { ...values, rows, changes }
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message.split('\n')[0]}\n\n${USAGE}`)
    process.exit(1)
  }
}

/** @throws RangeError if it is none, or out of bounds */
function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= NUMBER_MAX) return value
  throw new RangeError(`${name} ${text} is not a whole number from ${min} to ${NUMBER_MAX}`)
}

/**
 * Postgres into the log by `millrace start`: rows by snapshot, then a backlog of changes, with the sink stopped, with it running, and
 * with `schemas.enable=true`. The rates are those of the demo: from the first row read to the last acknowledgement. Options:
 * `--runs N`, `--rows N`, `--changes N`, `--no-record`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  connectorConfigs,
  SINK_NAME,
  SOURCE_NAME,
  TOPIC_PREFIX,
} from '../examples/postgres-to-s3/connectors.ts'
import { Millrace } from '../examples/postgres-to-s3/millrace.ts'
import { Shop } from '../examples/postgres-to-s3/shop.ts'
import { startPostgres } from '../test/peers/postgres.ts'
import { type Summary, summarize } from './measure.ts'
import { writeResults } from './results.ts'

const POLL_MS = 20

interface Variant {
  readonly name: string
  readonly hasSink: boolean
  readonly hasSchemas: boolean
}

const VARIANTS: readonly Variant[] = [
  { name: 'sink stopped', hasSink: false, hasSchemas: false },
  { name: 'sink running', hasSink: true, hasSchemas: false },
  { name: 'schemas.enable=true', hasSink: false, hasSchemas: true },
]

interface Amount {
  readonly rows: number
  readonly changes: number
}

interface Rates {
  readonly snapshotRowsPerS: number
  readonly streamChangesPerS: number
  /** With a sink: from its first record to its last committed offset. */
  readonly sinkRecordsPerS: number | null
  readonly peakRssMb: number
}

export async function cdc(args: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '3' },
      rows: { type: 'string', default: '500000' },
      changes: { type: 'string', default: '200000' },
      'no-record': { type: 'boolean', default: false },
    },
  })
  const amount = { rows: Number(options.rows), changes: Number(options.changes) }
  const cases = []
  for (const variant of VARIANTS) {
    const runs: Rates[] = []
    for (let run = 0; run < Number(options.runs); run++)
      runs.push(await measureOnce(variant, amount))
    const one = { name: variant.name, ...summarizeRates(runs), runs }
    cases.push(one)
    console.log(
      `${variant.name.padEnd(20)} snapshot ${text(one.snapshotRowsPerS)} rows/s  stream ${text(one.streamChangesPerS)} changes/s` +
        `${one.sinkRecordsPerS ? `  sink ${text(one.sinkRecordsPerS)} records/s` : ''}  peak ${one.peakRssMb.max} MB`,
    )
  }
  if (!options['no-record']) writeResults('cdc', { settings: amount, cases })
}

async function measureOnce(variant: Variant, { rows, changes }: Amount): Promise<Rates> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const postgres = await startPostgres()
  if ('missing' in postgres) throw new Error(`no Postgres to run with: ${postgres.missing}`)
  const shop = new Shop(postgres.url)
  let millrace: Millrace | null = null
  try {
    await shop.create(rows)
    millrace = await Millrace.start(join(folder, 'data'))
    const store = { 'store.url': `file://${join(folder, 'objects')}`, 's3.bucket.name': 'bench' }
    const { source, sink } = connectorConfigs(postgres.url, store, rows + changes)
    const schemas = String(variant.hasSchemas)
    const converters = {
      'key.converter.schemas.enable': schemas,
      'value.converter.schemas.enable': schemas,
    }
    if (variant.hasSink) await millrace.createConnector(SINK_NAME, sink)
    await millrace.createConnector(SOURCE_NAME, { ...source, ...converters })
    const firstRowMs = await whenRecords(millrace, 1)
    const lastRowMs = await whenRecords(millrace, rows)
    // A backlog: the changes are committed while the source stands still.
    await millrace.setState(SOURCE_NAME, 'stop')
    await shop.churn(changes)
    await millrace.setState(SOURCE_NAME, 'resume')
    const total = rows + changes + Math.ceil((changes - 1) / 5) // a delete is followed by a tombstone
    const firstChangeMs = await whenRecords(millrace, rows + 1)
    const lastChangeMs = await whenRecords(millrace, total)
    return {
      snapshotRowsPerS: perSecond(rows, lastRowMs - firstRowMs),
      streamChangesPerS: perSecond(changes, lastChangeMs - firstChangeMs),
      sinkRecordsPerS: variant.hasSink
        ? perSecond(total, (await whenSunk(millrace, total)) - firstRowMs)
        : null,
      peakRssMb: millrace.peakRssMb(),
    }
  } finally {
    await millrace?.stop()
    await shop.close()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** When the log had acknowledged so many records. */
async function whenRecords(millrace: Millrace, count: number): Promise<number> {
  for (;;) {
    const topics = await millrace.topics(`${TOPIC_PREFIX}.`)
    if (topics.reduce((sum, { offsetCount }) => sum + offsetCount, 0) >= count)
      return performance.now()
    await sleep(POLL_MS)
  }
}

async function whenSunk(millrace: Millrace, count: number): Promise<number> {
  while ((await millrace.sinkOffset(SINK_NAME)) < count) await sleep(POLL_MS)
  return performance.now()
}

function perSecond(count: number, elapsedMs: number): number {
  return Math.round((count * 1000) / elapsedMs)
}

function summarizeRates(runs: readonly Rates[]) {
  const of = (pick: (rates: Rates) => number | null): Summary | null => {
    const values = runs.map(pick).filter((value) => value !== null)
    return values.length === 0 ? null : summarize(values)
  }
  return {
    snapshotRowsPerS: of((rates) => rates.snapshotRowsPerS) as Summary,
    streamChangesPerS: of((rates) => rates.streamChangesPerS) as Summary,
    sinkRecordsPerS: of((rates) => rates.sinkRecordsPerS),
    peakRssMb: of((rates) => rates.peakRssMb) as Summary,
  }
}

function text({ median, min, max }: Summary): string {
  return `${median.toLocaleString('en')} (${min.toLocaleString('en')}-${max.toLocaleString('en')})`
}

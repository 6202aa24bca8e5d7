/**
 * How fast the broker gives batches out: a topic larger than the in-memory tail, read from the start to the end again and again.
 * Options as `bench/produce.ts` has them.
 */
import { parseArgs } from 'node:util'
import { createTopic } from '../test/compat/direct.ts'
import { startApacheKafka, startMillrace } from '../test/compat/server.ts'
import { consumerPerformance } from './jvm-clients.ts'
import type { LoadOptions } from './load/options.ts'
import { measure } from './measure.ts'
import { type Case, printCase, printHeading, summarizeCases, writeResults } from './results.ts'

const WARM_UP_MS = 1000
const BATCH_BYTES = 16_384
const RECORD_SIZES = [100, 1000]
const FILL_MS = 3000
const FILL_CONNECTIONS = 4
const FILL_IN_FLIGHT = 5

export async function fetch(args: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '2' },
      partitions: { type: 'string', default: '4' },
      against: { type: 'string', default: 'millrace' },
      'no-jvm': { type: 'boolean', default: false },
      'no-record': { type: 'boolean', default: false },
    },
  })
  const load = {
    kind: 'fetch' as const,
    partitions: Number(options.partitions),
    connections: Number(options.connections),
    inFlight: 1,
    batchBytes: BATCH_BYTES,
    warmUpMs: WARM_UP_MS,
    measureMs: Number(options.seconds) * 1000,
  }
  const isKafka = options.against === 'kafka'
  const server = isKafka
    ? await startApacheKafka()
    : await startMillrace({ 'log.ack.after.flush': 'false' })
  const cases: Case[] = []
  printHeading()
  try {
    for (const recordBytes of RECORD_SIZES) {
      const topic = `fetch-${recordBytes}`
      const port = Number(server.bootstrap.split(':')[1])
      const target: LoadOptions = { ...load, recordBytes, topic, port }
      await createTopic(server.bootstrap, topic, load.partitions)
      const { recordsPerS } = await fill(server.pid, target)
      const runs = []
      for (let run = 0; run < Number(options.runs); run++)
        runs.push(await measure(server.pid, target))
      cases.push({ name: 'fetch', client: 'generator', recordBytes, runs })
      printCase(cases.at(-1)!)
      if (options['no-jvm']) continue
      // The topic has at least what came during the measured part of the filling.
      const recordCount = Math.floor(recordsPerS * (FILL_MS / 1000))
      const run = await consumerPerformance(server, { topic, recordBytes, recordCount })
      if ('missing' in run) {
        console.log(`ConsumerPerformance skipped: ${run.missing}`)
        continue
      }
      cases.push({ name: 'fetch', client: 'ConsumerPerformance', recordBytes, runs: [run] })
      printCase(cases.at(-1)!)
    }
  } finally {
    await server.stop()
  }
  if (options['no-record']) return
  const name = isKafka ? 'fetch-kafka' : 'fetch'
  writeResults(name, { settings: load, cases: summarizeCases(cases) })
}

function fill(brokerPid: number, target: LoadOptions) {
  return measure(brokerPid, {
    ...target,
    kind: 'produce',
    connections: FILL_CONNECTIONS,
    inFlight: FILL_IN_FLIGHT,
    warmUpMs: 0,
    measureMs: FILL_MS,
  })
}

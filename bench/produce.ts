/**
 * How fast the broker takes batches, acks=all: durable (the answer comes after fdatasync) and page-cache, with records of
 * 100 B and 1 KB in batches of 16 KB. Options: `--runs N`, `--seconds N`, `--connections N`, `--in-flight N`,
 * `--partitions N`, `--mode durable|page-cache` (only that one), `--against kafka` (Apache Kafka with the same load),
 * `--no-jvm` (leaves Kafka's own tool out), `--no-record`.
 */
import { parseArgs } from 'node:util'
import { createTopic, deleteTopic } from '../test/compat/direct.ts'
import { startApacheKafka, startMillrace, type Server } from '../test/compat/server.ts'
import { diskCeiling } from './disk.ts'
import { producerPerformance } from './jvm-clients.ts'
import type { LoadOptions } from './load/options.ts'
import { measure } from './measure.ts'
import { type Case, printCase, printHeading, summarizeCases, writeResults } from './results.ts'

const WARM_UP_MS = 1000
const BATCH_BYTES = 16_384
const RECORD_SIZES = [100, 1000]
/** What ProducerPerformance sends in one run, in MB. */
const JVM_TOTAL_BYTES = 500e6

interface Mode {
  readonly name: 'durable' | 'page-cache'
  readonly properties: Readonly<Record<string, string>>
}

export async function produce(args: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '4' },
      'in-flight': { type: 'string', default: '5' },
      partitions: { type: 'string', default: '4' },
      against: { type: 'string', default: 'millrace' },
      mode: { type: 'string', default: '' },
      'no-jvm': { type: 'boolean', default: false },
      'no-record': { type: 'boolean', default: false },
    },
  })
  const load = {
    kind: 'produce' as const,
    partitions: Number(options.partitions),
    connections: Number(options.connections),
    inFlight: Number(options['in-flight']),
    batchBytes: BATCH_BYTES,
    warmUpMs: WARM_UP_MS,
    measureMs: Number(options.seconds) * 1000,
  }
  const isKafka = options.against === 'kafka'
  const modes = (isKafka ? kafkaModes : millraceModes).filter((m) => m.name.includes(options.mode))
  const cases: Case[] = []
  const disk = await diskCeiling(load.partitions, load.connections * load.inFlight * BATCH_BYTES)
  console.log(`disk alone, with everything in flight in one fdatasync: ${JSON.stringify(disk)}`)
  printHeading()
  for (const mode of modes) {
    const server = await (isKafka ? startApacheKafka : startMillrace)(mode.properties)
    try {
      for (const recordBytes of RECORD_SIZES) {
        const runs = await runLoad(server, { ...load, recordBytes }, Number(options.runs))
        cases.push({ name: `produce ${mode.name}`, client: 'generator', recordBytes, runs })
        printCase(cases.at(-1)!)
      }
      if (!options['no-jvm']) cases.push(...(await runJvm(server, mode, load.partitions)))
    } finally {
      await server.stop()
    }
  }
  if (options['no-record']) return
  const name = isKafka ? 'produce-kafka' : 'produce'
  writeResults(name, { settings: load, disk, cases: summarizeCases(cases) })
}

const common = { 'log.segment.delete.delay.ms': '0' }

const millraceModes: readonly Mode[] = [
  { name: 'durable', properties: { ...common, 'log.ack.after.flush': 'true' } },
  { name: 'page-cache', properties: { ...common, 'log.ack.after.flush': 'false' } },
]
/** Kafka flushes each append before the answer if it is told to. */
const kafkaModes: readonly Mode[] = [
  { name: 'durable', properties: { ...common, 'log.flush.interval.messages': '1' } },
  { name: 'page-cache', properties: common },
]

/** Each run has a topic of its own, gone before the next: else the system writes out the last run's pages during this one. */
async function runLoad(
  server: Server,
  load: Omit<LoadOptions, 'port' | 'topic'>,
  count: number,
): Promise<Case['runs']> {
  const runs = []
  const port = Number(server.bootstrap.split(':')[1])
  for (let run = 1; run <= count; run++) {
    const topic = `produce-${load.recordBytes}-${run}`
    await createTopic(server.bootstrap, topic, load.partitions)
    runs.push(await measure(server.pid, { ...load, port, topic }))
    await deleteTopic(server.bootstrap, topic)
  }
  return runs
}

/** Kafka's own tool, for a second opinion: its producer is often what is saturated. */
async function runJvm(server: Server, mode: Mode, partitions: number): Promise<Case[]> {
  const cases: Case[] = []
  for (const recordBytes of RECORD_SIZES) {
    const topic = `jvm-${recordBytes}`
    await createTopic(server.bootstrap, topic, partitions)
    const recordCount = JVM_TOTAL_BYTES / recordBytes
    const run = await producerPerformance(server, { topic, recordBytes, recordCount })
    if ('missing' in run) {
      console.log(`ProducerPerformance skipped: ${run.missing}`)
      return cases
    }
    const client = 'ProducerPerformance'
    cases.push({ name: `produce ${mode.name}`, client, recordBytes, runs: [run] })
    printCase(cases.at(-1)!)
  }
  return cases
}

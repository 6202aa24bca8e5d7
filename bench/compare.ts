/**
 * The broker role alone and Apache Kafka in turns, with the same load from the same client, broker and client on cores of their
 * own: produce and fetch rates, latency at a fixed rate, start to the first acknowledged record, memory after the load.
 * The figures that count are the ratios. Options: `--runs N`, `--seconds N`, `--heap MB` (of Kafka's JVM; its own script
 * takes 1024), `--no-record`. Needs a JVM.
 */
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { appendBatch, createTopic, deleteTopic } from '../test/compat/direct.ts'
import { type Server, startMillrace } from '../test/compat/server.ts'
import { type KafkaHome, prepareKafka, startKafka } from '../test/peers/apache-kafka.ts'
import { aBatch } from './load/produce-loop.ts'
import type { LoadOptions } from './load/options.ts'
import { coresApart, pin, type Pinning, residentMb } from './machine.ts'
import { measure, summarize } from './measure.ts'
import { writeResults } from './results.ts'

const BATCH_BYTES = 16_384
const PARTITIONS = 4
const CONNECTIONS = 4
const IN_FLIGHT = 5
const FETCH_CONNECTIONS = 2
const WARM_UP_MS = 4000
const FILL_MS = 2000
const RATE_RECORDS_PER_S = 5000
/** Five records of 1 KB: what a producer with a small linger sends at that rate. */
const RATE_BATCH_BYTES = 5500
const RETRY_MS = 5

/** With fewer cores than `coresApart` wants, each side gets one; the first serves the machine's interrupts as well, so the client takes it. */
const cores: Pinning = coresApart() ?? { broker: [1], client: [0] }

type Figures = Record<string, number>

/** A broker that runs, and when its process began. */
interface Started {
  readonly server: Pick<Server, 'bootstrap' | 'pid' | 'stop'>
  readonly startedMs: number
}
type Broker = Started['server']

interface Contender {
  readonly name: string
  start(): Promise<Started>
}

export async function compare(args: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      heap: { type: 'string', default: '1024' },
      'no-record': { type: 'boolean', default: false },
    },
  })
  const heapMb = Number(options.heap)
  const home = await prepareKafka()
  if ('missing' in home)
    throw new Error(`there is no Apache Kafka to compare with: ${home.missing}`)
  const contenders: readonly Contender[] = [
    { name: 'millrace durable', start: () => startOurs(true) },
    { name: 'kafka', start: () => startTheirs(home, heapMb) },
    { name: 'millrace page cache', start: () => startOurs(false) },
  ]
  const runs = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]))
  for (let run = 1; run <= Number(options.runs); run++) {
    for (const contender of contenders) {
      const figures = await runOnce(contender, Number(options.seconds) * 1000)
      runs.get(contender.name)!.push(figures)
      console.log(`run ${run}, ${contender.name}: ${JSON.stringify(figures)}`)
    }
  }
  const medians = Object.fromEntries([...runs].map(([name, all]) => [name, summarizeFigures(all)]))
  const ratios = ratiosOf(medians)
  console.log(JSON.stringify(ratios, null, 2))
  const settings = {
    heapMb,
    cores,
    connections: CONNECTIONS,
    inFlight: IN_FLIGHT,
    partitions: PARTITIONS,
  }
  const results = { settings, ratios, medians, runs: Object.fromEntries(runs) }
  if (!options['no-record'])
    writeResults(heapMb === 1024 ? 'compare' : `compare-${heapMb}`, results)
}

async function startOurs(ackAfterFlush: boolean): Promise<Started> {
  const startedMs = performance.now()
  const server = await startMillrace({ 'log.ack.after.flush': String(ackAfterFlush) })
  return { server, startedMs }
}

/** Formatting its directory is no part of a start: the second one counts, after an orderly end, so that nothing waits for a session to expire. */
async function startTheirs(home: KafkaHome, heapMb: number): Promise<Started> {
  const node = await startKafka(home, { heapMb })
  await node.end()
  const startedMs = performance.now()
  await node.restart()
  const { bootstrap, stop } = node
  return { server: { bootstrap, pid: node.pid(), stop }, startedMs }
}

async function runOnce(contender: Contender, measureMs: number): Promise<Figures> {
  const { server, startedMs } = await contender.start()
  try {
    await firstAcknowledged(server)
    const figures: Figures = { startMs: Math.round(performance.now() - startedMs) }
    pin(server.pid, cores.broker)
    for (const recordBytes of [100, 1000]) {
      figures[`produce${recordBytes}MbPerS`] = await produceRate(server, recordBytes, measureMs)
      figures[`fetch${recordBytes}MbPerS`] = await fetchRate(server, recordBytes, measureMs)
    }
    figures.p99Ms = await latency(server, measureMs)
    figures.rssMb = residentMb(server.pid)
    return figures
  } finally {
    await server.stop()
  }
}

/** The first record that the broker has taken ends the start, as a user would see it. */
async function firstAcknowledged(server: Broker): Promise<void> {
  await createTopic(server.bootstrap, 'first', 1)
  const { batch } = aBatch({ recordBytes: 100, batchBytes: 200 })
  for (;;) {
    try {
      return await appendBatch(server.bootstrap, 'first', Buffer.from(batch))
    } catch {
      await sleep(RETRY_MS) // the leader is not ready yet
    }
  }
}

async function produceRate(
  server: Broker,
  recordBytes: number,
  measureMs: number,
): Promise<number> {
  const topic = `produce-${recordBytes}`
  await createTopic(server.bootstrap, topic, PARTITIONS)
  const load = loadOf(server, { topic, recordBytes, measureMs })
  const { mbPerS } = await measure(server.pid, load, cores)
  await deleteTopic(server.bootstrap, topic)
  return mbPerS
}

async function fetchRate(server: Broker, recordBytes: number, measureMs: number): Promise<number> {
  const topic = `fetch-${recordBytes}`
  await createTopic(server.bootstrap, topic, PARTITIONS)
  const load = loadOf(server, { topic, recordBytes, measureMs })
  await measure(server.pid, { ...load, warmUpMs: 0, measureMs: FILL_MS }, cores)
  const reading = { kind: 'fetch', connections: FETCH_CONNECTIONS, inFlight: 1 } as const
  const { mbPerS } = await measure(server.pid, { ...load, ...reading }, cores)
  await deleteTopic(server.bootstrap, topic)
  return mbPerS
}

async function latency(server: Broker, measureMs: number): Promise<number> {
  const topic = 'latency'
  await createTopic(server.bootstrap, topic, PARTITIONS)
  const load = loadOf(server, { topic, recordBytes: 1000, measureMs })
  const pace = {
    kind: 'paced-produce',
    recordsPerS: RATE_RECORDS_PER_S,
    batchBytes: RATE_BATCH_BYTES,
  } as const
  const { latencyMs } = await measure(server.pid, { ...load, ...pace }, cores)
  return latencyMs.p99
}

function loadOf(
  server: Broker,
  load: Pick<LoadOptions, 'topic' | 'recordBytes' | 'measureMs'>,
): LoadOptions {
  return {
    kind: 'produce',
    port: Number(server.bootstrap.split(':')[1]),
    partitions: PARTITIONS,
    connections: CONNECTIONS,
    inFlight: IN_FLIGHT,
    batchBytes: BATCH_BYTES,
    warmUpMs: WARM_UP_MS,
    ...load,
  }
}

function summarizeFigures(all: readonly Figures[]) {
  const names = Object.keys(all[0])
  return Object.fromEntries(names.map((name) => [name, summarize(all.map((run) => run[name]))]))
}

/** Ours by Kafka's: rates want to be large, the others small. */
function ratiosOf(medians: Readonly<Record<string, ReturnType<typeof summarizeFigures>>>) {
  const { kafka, ...ours } = medians
  return Object.fromEntries(
    Object.entries(ours).map(([name, figures]) => [
      name,
      Object.fromEntries(
        Object.entries(figures).map(([figure, { median }]) => [
          figure,
          Math.round((median / kafka[figure].median) * 100) / 100,
        ]),
      ),
    ]),
  )
}

/** Apache Kafka's own perf tools, where a JVM is present: a second opinion, as their clients are often what is saturated. */
import { type MissingKafka, prepareKafka, runTool } from '../test/peers/apache-kafka.ts'
import type { Server } from '../test/compat/server.ts'
import type { Run } from './results.ts'

const HEAP_MB = 512

export interface JvmLoad {
  readonly topic: string
  readonly recordBytes: number
  readonly recordCount: number
}

export async function producerPerformance(
  server: Server,
  { topic, recordBytes, recordCount }: JvmLoad,
): Promise<Run | MissingKafka> {
  const args = ['--topic', topic, '--record-size', String(recordBytes), '--throughput', '-1']
  args.push('--num-records', String(recordCount), '--bootstrap-server', server.bootstrap)
  args.push('--command-property', 'acks=all', 'batch.size=16384', 'linger.ms=5')
  const output = await runPerformanceTool('ProducerPerformance', args)
  if (typeof output !== 'string') return output
  // The last line has the whole: `500000 records sent, 190000.0 records/sec (181.20 MB/sec), ...`
  const found = /records sent, ([\d.]+) records\/sec/.exec(output.trim().split('\n').at(-1)!)
  if (!found) throw new Error(`ProducerPerformance printed no rate: ${output}`)
  return asRun(Number(found[1]), recordBytes)
}

export async function consumerPerformance(
  server: Server,
  { topic, recordBytes, recordCount }: JvmLoad,
): Promise<Run | MissingKafka> {
  const args = ['--topic', topic, '--num-records', String(recordCount), '--hide-header']
  args.push('--bootstrap-server', server.bootstrap)
  const output = await runPerformanceTool('ConsumerPerformance', args)
  if (typeof output !== 'string') return output
  // start, stop, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
  const fields = output.trim().split('\n').at(-1)!.split(', ')
  return asRun(Number(fields[9]), recordBytes)
}

/** Its standard output. @throws Error with what it printed if it fails */
async function runPerformanceTool(
  name: string,
  args: readonly string[],
): Promise<string | MissingKafka> {
  const home = await prepareKafka()
  if ('missing' in home) return home
  const options = { heapMb: HEAP_MB }
  const { code, stdout, stderr } = await runTool(
    home,
    `org.apache.kafka.tools.${name}`,
    args,
    options,
  )
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}${stdout}`)
  return stdout
}

function asRun(recordsPerS: number, recordBytes: number): Run {
  return {
    mbPerS: Math.round((recordsPerS * recordBytes) / 1e5) / 10,
    recordsPerS: Math.round(recordsPerS),
  }
}

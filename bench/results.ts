import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineFacts } from './machine.ts'
import { type Measurement, summarize } from './measure.ts'

/** A tool that is not ours tells its rate and nothing else. */
export type Run = Pick<Measurement, 'mbPerS' | 'recordsPerS'> & Partial<Measurement>

export interface Case {
  readonly name: string
  readonly client: string
  readonly recordBytes: number
  readonly runs: readonly Run[]
}

const RESULTS_DIRECTORY = join(import.meta.dirname, 'results')

export function printHeading(): void {
  console.log(
    'case                 client               record  MB/s median (min-max)   records/s  p99 ms  broker cpu  client cpu  saturated',
  )
}

export function printCase({ name, client, recordBytes, runs }: Case): void {
  const mb = summarize(runs.map(({ mbPerS }) => mbPerS))
  const middle = medianRun(runs)
  const { cpu, latencyMs, saturated } = middle
  const cells = [
    name.padEnd(20),
    client.padEnd(20),
    `${recordBytes} B`.padStart(6),
    `${mb.median.toFixed(1)} (${mb.min.toFixed(1)}-${mb.max.toFixed(1)})`.padStart(22),
    String(middle.recordsPerS).padStart(10),
    (latencyMs?.p99.toFixed(1) ?? '').padStart(7),
    (cpu ? `${cpu.broker.main}/${cpu.broker.process}` : '').padStart(10),
    (cpu ? `${cpu.client.main}/${cpu.client.process}` : '').padStart(10),
    saturated ?? '',
  ]
  console.log(cells.join('  ').trimEnd())
}

/** Cases as they are written down: the summary of their runs goes with them. */
export function summarizeCases(cases: readonly Case[]): readonly object[] {
  return cases.map(({ runs, ...rest }) => ({
    ...rest,
    mbPerS: summarize(runs.map(({ mbPerS }) => mbPerS)),
    recordsPerS: summarize(runs.map(({ recordsPerS }) => recordsPerS)),
    runs,
  }))
}

/** Writes `results/DATE-NAME.json`, over what an earlier run of the day has left. */
export function writeResults(name: string, result: object): void {
  const date = new Date().toISOString().slice(0, 10)
  const file = join(RESULTS_DIRECTORY, `${date}-${name}.json`)
  mkdirSync(RESULTS_DIRECTORY, { recursive: true })
  const text = JSON.stringify({ bench: name, date, machine: machineFacts(), ...result }, null, 2)
  writeFileSync(file, `${text}\n`)
  console.log(`written to ${file}`)
}

function medianRun(runs: readonly Run[]): Run {
  const sorted = [...runs].sort((a, b) => a.mbPerS - b.mbPerS)
  return sorted[sorted.length >> 1]
}

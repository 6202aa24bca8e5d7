/**
 * `npm run compat`: other people's clients against our broker. Options: `--quick` leaves out what needs a JVM, `--only CLIENT` runs the
 * clients whose name has that text, `--output FILE` writes the results as JSON, `--record` writes the committed results and
 * docs/compatibility.md, `--against kafka` asks Apache Kafka the same instead. Exit code 1 if a scenario failed.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Client, type ClientEntry, NotOffered } from './client.ts'
import { clients } from './clients.ts'
import { formatPage, formatTable, type Result } from './report.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { type Server, startApacheKafka, startMillrace } from './server.ts'

const RESULTS_FILE = join(import.meta.dirname, 'results.json')
const PAGE_FILE = join(import.meta.dirname, '..', '..', 'docs', 'compatibility.md')

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    output: { type: 'string' },
    against: { type: 'string', default: 'millrace' },
  },
})
if (options.against !== 'millrace' && options.against !== 'kafka')
  throw new Error('--against is millrace or kafka')
if (options.record && (options.quick || options.only || options.against !== 'millrace'))
  throw new Error('--record takes all clients against Millrace')

const server = await (options.against === 'kafka' ? startApacheKafka() : startMillrace())
const results: Result[] = []
try {
  for (const entry of clients) {
    if (options.quick && entry.isSlow) continue
    if (entry.name.includes(options.only)) results.push(...(await runClient(entry, server)))
  }
} finally {
  await server.stop()
}

console.log(formatTable(results))
if (options.output !== undefined) write(options.output, JSON.stringify({ results }, null, 2))
if (options.record) {
  write(RESULTS_FILE, JSON.stringify({ results }, null, 2))
  write(PAGE_FILE, formatPage(results))
}
process.exit(results.some(({ outcome }) => outcome === 'fail') ? 1 : 0)

async function runClient(entry: ClientEntry, against: Server): Promise<Result[]> {
  const client = await entry.open(against.bootstrap)
  if ('missing' in client) {
    const reason = `not on this machine: ${client.missing}`
    return [{ client: entry.name, version: '', scenario: 'all', outcome: 'skip', reason }]
  }
  const found: Result[] = []
  for (const scenario of scenarios) {
    const startedMs = Date.now()
    const result = await runScenario(entry.name, client, scenario, against)
    found.push(result)
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
    process.stderr.write(`${entry.name}: ${scenario.name}: ${result.outcome} (${seconds} s)\n`)
  }
  return found
}

async function runScenario(
  name: string,
  client: Client,
  scenario: Scenario,
  { bootstrap, dataDirectory }: Server,
): Promise<Result> {
  const prefix = `${name.replaceAll(/\W+/g, '-').replace(/^-/, '')}-${randomUUID().slice(0, 8)}`
  const result = { client: name, version: client.version, scenario: scenario.name }
  try {
    await scenario.run({ client, bootstrap, dataDirectory, prefix })
    return { ...result, outcome: 'pass' }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ...result, outcome: error instanceof NotOffered ? 'skip' : 'fail', reason }
  }
}

function write(file: string, text: string): void {
  writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`)
}

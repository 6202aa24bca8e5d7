/**
 * `npm run compat`: other people's clients against our broker, and our Connect worker against Apache Kafka. Options: `--quick` leaves out what needs a JVM, `--only CLIENT` runs the
 * client or suite of that name, or those whose names have that text, `--scenario TEXT` does the same for scenarios, `--output FILE` writes the results as JSON, `--record` writes the committed results and
 * the pages in docs, `--against kafka` runs the clients against Apache Kafka instead: with `--record` first, so that its results stand in the page. Exit code 1 if a scenario failed.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Client, type ClientEntry, NotOffered } from './client.ts'
import { clients } from './clients.ts'
import { formatDifferences } from './connect-rest/known-differences.ts'
import { formatPage, formatSuites, formatTable, type Result } from './report.ts'
import { scenarios } from './scenarios/index.ts'
import type { Scenario, World } from './scenarios/world.ts'
import { type SecuredServer, startApacheKafka, startMillrace, startSecured } from './server.ts'
import type { Suite, SuiteScenario } from './suite.ts'
import { suites } from './suites.ts'

const RESULTS_FILE = join(import.meta.dirname, 'results.json')
const KAFKA_RESULTS_FILE = join(import.meta.dirname, 'results-apache-kafka.json')
const DOCS = join(import.meta.dirname, '..', '..', 'docs')
const PAGE_FILE = join(DOCS, 'compatibility.md')
const DIFFERENCES_FILE = join(DOCS, 'connect-rest-differences.md')

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    scenario: { type: 'string', default: '' },
    output: { type: 'string' },
    against: { type: 'string', default: 'millrace' },
  },
})
if (options.against !== 'millrace' && options.against !== 'kafka')
  throw new Error('--against is millrace or kafka')
if (options.record && (options.quick || options.only || options.scenario))
  throw new Error('--record takes all clients')

const isNamed = [...clients, ...suites].some(({ name }) => name === options.only)
const isWanted = ({ name }: { readonly name: string }) =>
  isNamed ? name === options.only : name.includes(options.only)
const results = await runClients(clients.filter(isWanted))
const suiteResults: Result[] = []
if (options.against === 'millrace' && options.scenario === '')
  for (const suite of suites.filter(isWanted)) suiteResults.push(...(await runSuite(suite)))

if (results.length > 0) console.log(formatTable(results))
if (suiteResults.length > 0) console.log(formatSuites(suiteResults))
const json = JSON.stringify({ results, suites: suiteResults }, null, 2)
if (options.output !== undefined) write(options.output, json)
if (options.record && options.against === 'kafka') write(KAFKA_RESULTS_FILE, json)
else if (options.record) {
  write(RESULTS_FILE, json)
  write(PAGE_FILE, formatPage(results, suiteResults, resultsOfKafka()))
  const { version } = suiteResults.find(({ client }) => client === 'connect-rest')!
  write(DIFFERENCES_FILE, formatDifferences(version))
}
const isFailed = [...results, ...suiteResults].some(({ outcome }) => outcome === 'fail')
process.exit(isFailed ? 1 : 0)

async function runClients(entries: readonly ClientEntry[]): Promise<Result[]> {
  const wanted = entries.filter(({ isSlow }) => !(options.quick && isSlow))
  if (wanted.length === 0) return []
  const server = await startSecured(options.against === 'kafka' ? startApacheKafka : startMillrace)
  const found: Result[] = []
  try {
    for (const entry of wanted) found.push(...(await runClient(entry, server)))
  } finally {
    await server.stop()
  }
  return found
}

async function runSuite(suite: Suite): Promise<Result[]> {
  const skipped = (reason: string): Result[] => [
    { client: suite.name, version: '', scenario: 'all', outcome: 'skip', reason },
  ]
  if (options.quick) return skipped('takes minutes and a JVM: left out of a quick run')
  const bed = await suite.open()
  if ('missing' in bed) return skipped(`not on this machine: ${bed.missing}`)
  const found: Result[] = []
  try {
    for (const scenario of bed.scenarios)
      found.push(await runSuiteScenario(suite.name, bed.version, scenario))
  } finally {
    await bed.close()
  }
  return found
}

async function runSuiteScenario(
  client: string,
  version: string,
  scenario: SuiteScenario,
): Promise<Result> {
  const result = { client, version, scenario: scenario.name }
  const startedMs = Date.now()
  const note = (outcome: string) => {
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
    process.stderr.write(`${client}: ${scenario.name}: ${outcome} (${seconds} s)\n`)
  }
  try {
    await scenario.run()
    note('pass')
    return { ...result, outcome: 'pass' }
  } catch (error) {
    note('fail')
    return {
      ...result,
      outcome: 'fail',
      reason: error instanceof Error ? error.message : String(error),
    }
  }
}

async function runClient(entry: ClientEntry, against: SecuredServer): Promise<Result[]> {
  const client = await entry.open(against.bootstrap)
  if ('missing' in client) {
    const reason = `not on this machine: ${client.missing}`
    return [{ client: entry.name, version: '', scenario: 'all', outcome: 'skip', reason }]
  }
  const found: Result[] = []
  for (const scenario of scenarios.filter(({ name }) => name.includes(options.scenario))) {
    const startedMs = Date.now()
    const result = await runScenario(entry, client, scenario, against)
    found.push(result)
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
    process.stderr.write(`${entry.name}: ${scenario.name}: ${result.outcome} (${seconds} s)\n`)
  }
  return found
}

async function runScenario(
  entry: ClientEntry,
  client: Client,
  scenario: Scenario,
  server: SecuredServer,
): Promise<Result> {
  const { name } = entry
  const { bootstrap, dataDirectory } = server
  const open: World['open'] = (where, login) => entry.open(where, login)
  const prefix = `${name.replaceAll(/\W+/g, '-').replace(/^-/, '')}-${randomUUID().slice(0, 8)}`
  const result = { client: name, version: client.version, scenario: scenario.name }
  try {
    await scenario.run({ client, open, server, bootstrap, dataDirectory, prefix })
    return { ...result, outcome: 'pass' }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ...result, outcome: error instanceof NotOffered ? 'skip' : 'fail', reason }
  }
}

/** What the same clients gave against Apache Kafka when that was recorded last. */
function resultsOfKafka(): readonly Result[] {
  if (!existsSync(KAFKA_RESULTS_FILE)) return []
  return (JSON.parse(readFileSync(KAFKA_RESULTS_FILE, 'utf8')) as { results: Result[] }).results
}

function write(file: string, text: string): void {
  writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`)
}

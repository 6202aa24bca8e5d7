import { scenarios } from './scenarios/index.ts'

export interface Result {
  readonly client: string
  /** Empty if the client is not on the machine. */
  readonly version: string
  readonly scenario: string
  readonly outcome: 'pass' | 'fail' | 'skip'
  /** Of a failure or a skip. */
  readonly reason?: string
}

const marks = { pass: 'pass', fail: 'FAIL', skip: '-' }
const REASON_MAX_CHARACTERS = 300

/** One line per scenario and a column per client, then every failure and every skip with its reason. */
export function formatTable(results: readonly Result[]): string {
  const names = clientNames(results)
  const width = Math.max(...scenarios.map(({ name }) => name.length))
  const row = (title: string, cells: readonly string[]) =>
    [title.padEnd(width), ...cells.map((cell, i) => cell.padEnd(names[i].length))].join('  ')
  const lines = [row('', names)]
  for (const { name } of scenarios)
    lines.push(
      row(
        name,
        names.map((client) => markOf(results, client, name)),
      ),
    )
  for (const { client, scenario, outcome, reason } of results) {
    if (outcome === 'pass') continue
    lines.push(`${outcome}  ${client}: ${scenario}: ${shorten(reason)}`)
  }
  lines.push(`compat: ${formatCounts(results)}`)
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** One line per scenario of a suite. */
export function formatSuites(results: readonly Result[]): string {
  const lines = results.map(
    ({ client, scenario, outcome, reason }) =>
      `${outcome}  ${client}: ${scenario}${reason ? `: ${shorten(reason)}` : ''}`,
  )
  return [...lines, `compat, suites: ${formatCounts(results)}`].join('\n')
}

function formatCounts(results: readonly Result[]): string {
  const count = (outcome: Result['outcome']) => results.filter((r) => r.outcome === outcome).length
  return `${count('pass')} passed, ${count('fail')} failed, ${count('skip')} skipped`
}

/** The page docs/compatibility.md. */
export function formatPage(
  results: readonly Result[],
  suites: readonly Result[],
  ofKafka: readonly Result[],
): string {
  const names = clientNames(results)
  const versionOf = (client: string) => results.find((r) => r.client === client)!.version
  const rows = scenarios.map(
    ({ name }) =>
      `| ${name} | ${names.map((n) => besideKafka(results, ofKafka, n, name)).join(' | ')} |`,
  )
  const suiteRows = suites.map(
    ({ client, version, scenario, outcome }) =>
      `| ${client} | ${version || 'not run'} | ${scenario} | ${marks[outcome]} |`,
  )
  const notes = [...results, ...suites].filter(({ outcome }) => outcome !== 'pass')
  const failuresOfKafka = ofKafka.filter(({ outcome }) => outcome === 'fail')
  return `# Clients

Written by \`npm run compat -- --record\` from \`test/compat/results.json\`; do not edit. Each client is driven through
the scenarios in \`test/compat/scenarios\` against \`millrace broker\`. A dash is a skip, explained below.
The same clients ran against Apache Kafka; where it gave another result, or failed too, that stands beside ours.

| client | version |
| --- | --- |
${names.map((client) => `| ${client} | ${versionOf(client) || 'not run'} |`).join('\n')}

| scenario | ${names.join(' | ')} |
| --- |${' --- |'.repeat(names.length)}
${rows.join('\n')}

## The Connect worker

\`worker-on-kafka\` runs \`millrace worker\` on Apache Kafka; \`connect-rest\` compares it with Kafka Connect, whose cluster it
also takes over. What differs on purpose: [connect-rest-differences.md](connect-rest-differences.md).

| suite | Apache Kafka | scenario | |
| --- | --- | --- | --- |
${suiteRows.join('\n')}

## Failures and skips

${formatNotes(notes)}

## Failures on Apache Kafka

SCRAM with the librdkafka of Debian 12: its nonce, which Kafka refuses since CVE-2024-56128, opens nothing ([security.md](security.md)).

${formatNotes(failuresOfKafka)}
`
}

function formatNotes(results: readonly Result[]): string {
  const lines = results.map(
    (r) => `- ${r.client}, ${r.scenario}: ${r.outcome}; ${shorten(r.reason)}`,
  )
  return lines.join('\n') || 'None.'
}

function besideKafka(
  results: readonly Result[],
  ofKafka: readonly Result[],
  client: string,
  scenario: string,
): string {
  const ours = markOf(results, client, scenario)
  const theirs = markOf(ofKafka, client, scenario)
  const isKnown = ofKafka.some((r) => r.client === client && r.scenario === scenario)
  return isKnown && (theirs !== ours || ours === marks.fail) ? `${ours} (Kafka: ${theirs})` : ours
}

function clientNames(results: readonly Result[]): string[] {
  return [...new Set(results.map(({ client }) => client))]
}

function markOf(results: readonly Result[], client: string, scenario: string): string {
  const found = results.find((r) => r.client === client && r.scenario === scenario)
  return found ? marks[found.outcome] : marks.skip
}

function shorten(reason = ''): string {
  return reason.replaceAll(/\s+/g, ' ').slice(0, REASON_MAX_CHARACTERS)
}

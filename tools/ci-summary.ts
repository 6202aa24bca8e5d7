/** Adds up the results that the test runs of `.ci/run` left behind, names what failed and prints the closing line. Exit code 1 if a result is missing. */
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** Of the message of a failure: the two values that differ, or where an error came from. */
const REASON_MAX_LINES = 25

interface JestResults {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    /** Why it does not run, if it does not. */
    readonly message: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

interface CompatResults {
  readonly results: readonly {
    readonly client: string
    readonly scenario: string
    readonly outcome: string
    readonly reason?: string
  }[]
}

const [jestFile, compatFile] = process.argv.slice(2)
const failures: string[] = []
let passed = 0

const jest = read<JestResults>('npm test', jestFile)
if (jest) {
  passed += jest.numPassedTests
  for (const { name, status, message, assertionResults } of jest.testResults) {
    const file = relative(process.cwd(), name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    for (const { fullName, failureMessages } of failed)
      failures.push(`${file}: ${fullName}${failureMessages.map(indented).join('')}`)
    if (status === 'failed' && failed.length === 0)
      failures.push(`${file}: it does not run${indented(message)}`)
  }
}

const compat = read<CompatResults>('npm run compat', compatFile)
for (const { client, scenario, outcome, reason } of compat?.results ?? []) {
  if (outcome === 'pass') passed++
  if (outcome === 'fail') failures.push(`${client}: ${scenario}: ${reason}`)
}

for (const failure of failures) console.log(`failed: ${failure}`)
console.log(`${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length > 0 ? 1 : 0

function indented(message: string): string {
  const lines = stripVTControlCharacters(message).split('\n').slice(0, REASON_MAX_LINES)
  return lines.map((line) => `\n    ${line}`).join('')
}

function read<T>(step: string, file: string): T | null {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T
  failures.push(`${step}: it left no result in ${file}`)
  return null
}

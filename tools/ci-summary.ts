/** Adds up the results that the test runs of `.ci/run` left behind, names what failed and prints the closing line. Exit code 1 if a result is missing. */
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

interface JestResults {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
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
  for (const { name, status, assertionResults } of jest.testResults) {
    const file = relative(process.cwd(), name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    failures.push(...failed.map(({ fullName }) => `${file}: ${fullName}`))
    if (status === 'failed' && failed.length === 0) failures.push(`${file}: it does not run`)
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

function read<T>(step: string, file: string): T | null {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T
  failures.push(`${step}: it left no result in ${file}`)
  return null
}

/** Adds up the results that the test runs of `.ci/run` left behind and prints the closing line. Exit code 1 if a result is missing. */
import { existsSync, readFileSync } from 'node:fs'

const [jestFile, compatFile] = process.argv.slice(2)
let passed = 0
let failed = 0

if (existsSync(jestFile)) {
  const jest = JSON.parse(readFileSync(jestFile, 'utf8')) as {
    numPassedTests: number
    numFailedTests: number
    numRuntimeErrorTestSuites: number
  }
  passed += jest.numPassedTests
  failed += jest.numFailedTests + jest.numRuntimeErrorTestSuites
} else {
  console.log(`ci: npm test left no result in ${jestFile}`)
  failed += 1
}

if (existsSync(compatFile)) {
  const results = JSON.parse(readFileSync(compatFile, 'utf8')) as {
    results: readonly { outcome: string }[]
  }
  passed += results.results.filter(({ outcome }) => outcome === 'pass').length
  failed += results.results.filter(({ outcome }) => outcome === 'fail').length
} else {
  console.log(`ci: npm run compat left no result in ${compatFile}`)
  failed += 1
}

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

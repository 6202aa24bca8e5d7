/** `npm run check`: types, lint, format, tidy and unit tests, as many at a time as there are cores; what failed is printed in full. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { repositoryRoot } from './packages.ts'

interface Step {
  readonly name: string
  readonly command: readonly string[]
}

const steps: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['biome', 'format'] },
  { name: 'tidy', command: ['node', 'tools/tidy.ts'] },
  {
    name: 'unit tests',
    command: [
      'jest',
      '--silent',
      'libs',
      'connectors',
      'apps',
      'tools',
      '--testPathIgnorePatterns',
      '/test/',
    ],
  },
]

const startedAt = performance.now()
const pending = [...steps]
let failed = 0
await Promise.all(Array.from({ length: availableParallelism() }, work))
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(
  failed === 0
    ? `check: all good in ${seconds} s`
    : `check: ${failed} of ${steps.length} steps failed`,
)
process.exitCode = failed === 0 ? 0 : 1

async function work(): Promise<void> {
  for (let step = pending.shift(); step; step = pending.shift()) {
    const from = performance.now()
    const { code, output } = await run(step.command)
    const took = ((performance.now() - from) / 1000).toFixed(1)
    console.log(`${code === 0 ? 'ok   ' : 'FAIL '} ${step.name.padEnd(12)} ${took} s`)
    if (code !== 0) {
      failed += 1
      console.log(output)
    }
  }
}

function run(command: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const collect = (chunk: Buffer) => (output += chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

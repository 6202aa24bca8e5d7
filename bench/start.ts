/**
 * How long `millrace start` takes until it is ready, on an empty data directory and again on the same, and what memory it
 * holds when nothing happens. Options: `--runs N`, `--no-record`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { residentMb } from './machine.ts'
import { summarize } from './measure.ts'
import { writeResults } from './results.ts'

const PROGRAM = join(import.meta.dirname, '..', 'apps', 'cli', 'bin', 'millrace.js')
const START_TIMEOUT_MS = 30_000
/** After the start, so that what it allocated and dropped can be collected. */
const IDLE_MS = 10_000

interface Start {
  readonly emptyMs: number
  readonly againMs: number
  readonly idleRssMb: number
}

export async function start(args: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      'no-record': { type: 'boolean', default: false },
    },
  })
  const runs: Start[] = []
  for (let run = 1; run <= Number(options.runs); run++) {
    runs.push(await startTwice())
    console.log(`run ${run}: ${JSON.stringify(runs.at(-1))}`)
  }
  const summary = {
    emptyMs: summarize(runs.map(({ emptyMs }) => emptyMs)),
    againMs: summarize(runs.map(({ againMs }) => againMs)),
    idleRssMb: summarize(runs.map(({ idleRssMb }) => idleRssMb)),
  }
  console.log(JSON.stringify(summary, null, 2))
  if (!options['no-record']) writeResults('start', { settings: { idleMs: IDLE_MS }, summary, runs })
}

async function startTwice(): Promise<Start> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const first = await launch(directory)
    await end(first.child)
    const second = await launch(directory)
    await sleep(IDLE_MS)
    const idleRssMb = residentMb(second.child.pid!)
    await end(second.child)
    return { emptyMs: first.readyMs, againMs: second.readyMs, idleRssMb }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function launch(directory: string): Promise<{ child: ChildProcess; readyMs: number }> {
  const ports = ['kafka', 'connect', 'registry', 'admin'].flatMap((role) => [`--${role}-port`, '0'])
  const startedMs = performance.now()
  const child = spawn(process.execPath, [PROGRAM, 'start', '--data-dir', directory, ...ports], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (reason: string) => {
      child.kill('SIGKILL')
      reject(new Error(`millrace start ${reason}: ${output}`))
    }
    const timer = setTimeout(() => fail('is not ready in time'), START_TIMEOUT_MS)
    child.once('exit', (code) => fail(`ended with ${code}`))
    child.stderr!.on('data', (chunk: Buffer) => (output += String(chunk)))
    child.stdout!.on('data', (chunk: Buffer) => {
      output += String(chunk)
      if (!/^ready /m.test(output)) return
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve({ child, readyMs: Math.round(performance.now() - startedMs) })
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

/** Our Connect worker as its users start it: `millrace worker`, a process of its own on somebody's cluster. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

const START_TIMEOUT_MS = 40_000
const STOP_TIMEOUT_MS = 15_000
const OUTPUT_MAX_CHARACTERS = 64 * 1024

const program = join(import.meta.dirname, '..', '..', '..', 'apps', 'cli', 'bin', 'millrace.js')

export interface Worker {
  /** Of its REST interface. */
  readonly url: string
  /** The end of what it has printed. */
  readonly output: () => string
  /** Lets it stop its tasks and leave the group. */
  readonly stop: () => Promise<void>
  readonly kill: () => Promise<void>
}

/** Names of group and internal topics: two clusters of workers on one Kafka differ in them. */
export function clusterProperties(bootstrap: string, cluster: string): Record<string, string> {
  const properties: Record<string, string> = {
    'bootstrap.servers': bootstrap,
    'group.id': cluster,
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'offset.flush.interval.ms': '500',
  }
  for (const kind of ['offset', 'config', 'status']) {
    properties[`${kind}.storage.topic`] = `${cluster}-${kind}s`
    properties[`${kind}.storage.replication.factor`] = '1'
  }
  return properties
}

/** Resolves when the worker says `ready`. @throws Error with its output if it does not */
export async function startWorker(properties: Readonly<Record<string, string>>): Promise<Worker> {
  const all = { listeners: 'http://127.0.0.1:0', ...properties }
  const overrides = Object.entries(all).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const child = spawn(process.execPath, [program, 'worker', ...overrides], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Whatever ends the run must not leave a worker behind.
  const killWithParent = () => child.kill('SIGKILL')
  process.once('exit', killWithParent)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + String(chunk)).slice(-OUTPUT_MAX_CHARACTERS)
    })
  try {
    return {
      url: await readyUrl(child, () => output),
      output: () => output,
      stop: () => end(child, 'SIGTERM').finally(() => process.off('exit', killWithParent)),
      kill: () => end(child, 'SIGKILL').finally(() => process.off('exit', killWithParent)),
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

function readyUrl(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`the worker ${reason}: ${output()}`))
    const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS)
    child.once('error', reject)
    child.once('exit', (code) => fail(`ended with ${code}`))
    child.stdout!.on('data', () => {
      const ready = /^ready connect=(\S+)/m.exec(output())
      if (!ready) return
      clearTimeout(timer)
      resolve(ready[1])
    })
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

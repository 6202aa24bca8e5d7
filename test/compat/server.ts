/** The broker that the clients meet: ours, as its users start it, or Apache Kafka to compare with. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExtraListener, prepareKafka, startKafka } from '../peers/apache-kafka.ts'
import { secure, type Secured } from './secured.ts'

const START_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 10_000
const OUTPUT_MAX_CHARACTERS = 64 * 1024

export interface Server {
  readonly name: string
  readonly bootstrap: string
  /** Its `log.dirs`. */
  readonly dataDirectory: string
  readonly pid: number
  stop(): Promise<void>
}

/** With listeners for TLS and SASL. */
export interface SecuredServer extends Server {
  /** Null on a machine that cannot make certificates. */
  readonly security: Secured | null
}

const repositoryRoot = join(import.meta.dirname, '..', '..')

/** Starts a broker with more listeners, and the user that logs in there. @throws as `start` does */
export async function startSecured(
  start: typeof startMillrace | typeof startApacheKafka,
): Promise<SecuredServer> {
  const security = await secure()
  if (security === null) return { ...(await start()), security }
  try {
    const server = await start(security.properties, security.listeners)
    await security.addUser(server.bootstrap)
    const stop = async () => {
      await server.stop()
      security.remove()
    }
    return { ...server, stop, security }
  } catch (error) {
    security.remove()
    throw error
  }
}

/** `millrace broker` on a free port. @throws Error with its output if it does not come up */
export async function startMillrace(
  properties: Readonly<Record<string, string>> = {},
  moreListeners: readonly ExtraListener[] = [],
): Promise<Server> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-compat-'))
  const settings = {
    listeners: [
      'PLAINTEXT://127.0.0.1:0',
      ...moreListeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`),
    ].join(','),
    'listener.security.protocol.map': [
      'PLAINTEXT:PLAINTEXT',
      ...moreListeners.map(({ name, protocol }) => `${name}:${protocol}`),
    ].join(','),
    'log.dirs': dataDirectory,
    'group.initial.rebalance.delay.ms': '0',
    ...properties,
  }
  const overrides = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const program = join(repositoryRoot, 'apps', 'cli', 'bin', 'millrace.js')
  const child = spawn(process.execPath, [program, 'broker', '--log-level', 'warn', ...overrides], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Whatever ends the run must not leave a broker behind.
  const killWithParent = () => child.kill('SIGKILL')
  process.once('exit', killWithParent)
  try {
    const port = await readyPort(child)
    return {
      name: 'Millrace',
      bootstrap: `127.0.0.1:${port}`,
      dataDirectory,
      pid: child.pid!,
      async stop() {
        process.removeListener('exit', killWithParent)
        await end(child)
        rmSync(dataDirectory, { recursive: true, force: true })
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    rmSync(dataDirectory, { recursive: true, force: true })
    throw error
  }
}

/** @throws Error if this machine cannot run it */
export async function startApacheKafka(
  properties: Readonly<Record<string, string>> = {},
  moreListeners: readonly ExtraListener[] = [],
): Promise<Server> {
  const home = await prepareKafka()
  if ('missing' in home) throw new Error(`Apache Kafka cannot run here: ${home.missing}`)
  const node = await startKafka(home, { properties, moreListeners })
  return {
    name: `Apache Kafka ${home.version}`,
    bootstrap: node.bootstrap,
    dataDirectory: node.dataDirectory,
    pid: node.pid(),
    stop: () => node.stop(),
  }
}

function readyPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (reason: string) => reject(new Error(`the broker ${reason}: ${output}`))
    const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS)
    child.once('exit', (code) => fail(`ended with ${code}`))
    child.once('error', reject)
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        output = (output + String(chunk)).slice(-OUTPUT_MAX_CHARACTERS)
        const ready = /^ready .*kafka=[^\s,]+:(\d+)/m.exec(output)
        if (!ready) return
        clearTimeout(timer)
        resolve(Number(ready[1]))
      })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

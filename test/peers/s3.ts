/**
 * A real S3 server for tests, the demo and benches: versitygw over a directory of its own on 127.0.0.1, built once by Go's module
 * proxy into `.cache/peers/bin` (`node test/peers/prepare.ts s3`, a minute or two) and used from there.
 * Imported by jest and by plain `node`: only erasable types, no packages of ours.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { peersDirectory } from './directory.ts'
import { freePort } from './free-ports.ts'

const VERSION = 'v1.8.0'
const MODULE = 'github.com/versity/versitygw/cmd/versitygw'
const START_MAX_MS = 20_000
const STOP_MAX_MS = 5_000
const READY_POLL_MS = 20

export interface S3Home {
  readonly version: string
  /** The program. */
  readonly path: string
}

export interface MissingS3 {
  /** Why there is none, for the line that names a skipped test. */
  readonly missing: string
}

export interface S3Options {
  /** Default: any free one. It stays the same over `restart`. */
  readonly port?: number
}

/** One server. It verifies signatures; the bucket must be created by its user. */
export interface S3Server {
  /** `http://127.0.0.1:PORT`, for path-style requests. */
  readonly url: string
  readonly port: number
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly pid: () => number
  /** `kill -9`; the objects stay for `restart`. */
  readonly kill: () => Promise<void>
  /** Starts it again on the same objects and port, ending it first if it runs. */
  readonly restart: () => Promise<void>
  /** Stops the process without ending it: connections are taken, but nothing answers. */
  readonly pause: () => void
  readonly resume: () => void
  /** Ends it and removes its objects. */
  readonly stop: () => Promise<void>
}

/** The server that was prepared earlier; never builds, so that a test may ask at any time. */
export function findS3(): S3Home | MissingS3 {
  const path = programPath()
  return existsSync(path)
    ? { version: VERSION, path }
    : { missing: 'versitygw; prepare it with: node test/peers/prepare.ts s3' }
}

/** Finds the server or builds it, which takes a minute or two, or says what is missing. */
export async function prepareS3(): Promise<S3Home | MissingS3> {
  const found = findS3()
  if (!('missing' in found)) return found
  const path = programPath()
  mkdirSync(dirname(path), { recursive: true })
  const temporary = mkdtempSync(`${path}-`)
  try {
    const env = { ...process.env, GOBIN: temporary }
    await promisify(execFile)('go', ['install', `${MODULE}@${VERSION}`], { env })
    renameSync(join(temporary, 'versitygw'), path)
    return { version: VERSION, path }
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') return { missing: 'go' }
    const reason = stderr?.trim().split('\n').at(-1) ?? String(error)
    return { missing: `versitygw ${VERSION} from the Go module proxy: ${reason}` }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Starts an empty server. @throws with the end of its log if it does not come up */
export async function startS3(home: S3Home, options: S3Options = {}): Promise<S3Server> {
  const port = options.port ?? (await freePort())
  const directory = mkdtempSync(join(tmpdir(), 'millrace-s3-server-'))
  const credentials = { accessKeyId: 'millrace', secretAccessKey: 'millrace-secret' }
  const launch = () => launchServer(home, { directory, port, credentials })
  let child: ChildProcess
  try {
    child = await launch()
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ...credentials,
    region: 'us-east-1',
    pid: () => child.pid ?? -1,
    kill: () => endServer(child, 'SIGKILL'),
    restart: async () => {
      await endServer(child, 'SIGTERM')
      child = await launch()
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: async () => {
      child.kill('SIGCONT')
      await endServer(child, 'SIGTERM')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface Launch {
  readonly directory: string
  readonly port: number
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** Metadata goes into a directory of its own, because not every file system has user attributes. */
async function launchServer(
  home: S3Home,
  { directory, port, credentials }: Launch,
): Promise<ChildProcess> {
  const [objects, metadata] = ['objects', 'metadata'].map((name) => join(directory, name))
  for (const path of [objects, metadata]) mkdirSync(path, { recursive: true })
  const logFile = join(directory, 'server.log')
  const output = openSync(logFile, 'a')
  const child = spawn(
    home.path,
    [
      '--port',
      `127.0.0.1:${port}`,
      '--keep-alive',
      '--quiet',
      'posix',
      '--sidecar',
      metadata,
      objects,
    ],
    {
      cwd: directory,
      stdio: ['ignore', output, output],
      env: {
        ROOT_ACCESS_KEY: credentials.accessKeyId,
        ROOT_SECRET_KEY: credentials.secretAccessKey,
      },
    },
  )
  closeSync(output)
  const deadlineMs = Date.now() + START_MAX_MS
  while (!(await isListening(port))) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null
    if (hasEnded || Date.now() > deadlineMs) {
      await endServer(child, 'SIGKILL')
      const log = readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n')
      throw new Error(`versitygw did not start on port ${port}:\n${log}`)
    }
    await delay(READY_POLL_MS)
  }
  return child
}

async function endServer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS)
  await ended
  clearTimeout(timer)
}

function programPath(): string {
  const cache = peersDirectory()
  return join(cache, 'bin', `versitygw-${VERSION}`)
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

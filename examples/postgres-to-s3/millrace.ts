/** Starts `millrace start` as a child, with its defaults, and talks to its REST addresses as any user would. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = join(
  dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
  'apps/cli/bin/millrace.js',
)

export interface Addresses {
  readonly kafka: string
  readonly connect: string
  readonly admin: string
}

export interface TopicSummary {
  readonly name: string
  readonly offsetCount: number
}

export interface ConnectorSummary {
  readonly name: string
  readonly state: string
  readonly trace: string | null
  readonly tasks: readonly { readonly state: string; readonly trace: string | null }[]
}

export interface MillraceOptions {
  /** Ports, which stay the same over a restart; by default free ones are taken. */
  readonly ports?: { readonly [K in 'kafka' | 'connect' | 'registry' | 'admin']: number }
  /** More arguments of `millrace start`. */
  readonly args?: readonly string[]
}

/** Enough of what the program said to explain why it ended. */
const LOG_TAIL_CHARS = 64_000

export class Millrace {
  /** Known once it is ready. */
  addresses!: Addresses
  readonly #child: ChildProcess
  #log = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-LOG_TAIL_CHARS)
    })
  }

  /** Starts the program and resolves when it is ready. @throws with what it said if it ends before */
  static async start(dataDirectory: string, options: MillraceOptions = {}): Promise<Millrace> {
    const millrace = Millrace.launch(dataDirectory, options)
    await millrace.ready()
    return millrace
  }

  /** Starts the program and does not wait for it. */
  static launch(dataDirectory: string, { ports, args = [] }: MillraceOptions = {}): Millrace {
    const portArgs = (['kafka', 'connect', 'registry', 'admin'] as const).flatMap((name) => [
      `--${name}-port`,
      String(ports?.[name] ?? 0),
    ])
    const command = [program, 'start', '--data-dir', dataDirectory, ...portArgs]
    const allArgs = [...command, '--log-level', 'warn', ...args]
    return new Millrace(spawn(process.execPath, allArgs, { stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  /** Resolves at the line that begins with `ready`. @throws with what the program said if it ends before */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let output = ''
      this.#child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        const line = /^ready .*$/m.exec(output)?.[0]
        if (!line) return
        this.addresses = parseReady(line)
        resolve()
      })
      this.#child.once('close', (code, signal) =>
        reject(new Error(`millrace ended with ${signal ?? `code ${code}`}: ${this.#log.trim()}`)),
      )
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** What the program logged last. */
  get log(): string {
    return this.#log
  }

  /** Most memory that the process ever had, in MB; 0 where the system does not tell. */
  peakRssMb(): number {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
      return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
    } catch {
      return 0 // not Linux
    }
  }

  async createConnector(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#connect('POST', '/connectors', { name, config })
  }

  async setState(name: string, action: 'pause' | 'stop' | 'resume'): Promise<void> {
    await this.#connect('PUT', `/connectors/${name}/${action}`)
  }

  connectors(): Promise<{ connectors: readonly ConnectorSummary[] }> {
    return fetchJson(`${this.addresses.admin}/api/connectors`) as never
  }

  async topics(prefix: string): Promise<readonly TopicSummary[]> {
    const { topics } = (await fetchJson(`${this.addresses.admin}/api/topics`)) as {
      topics: TopicSummary[]
    }
    return topics.filter(({ name }) => name.startsWith(prefix))
  }

  /** Offsets that the sink has committed, summed over the partitions. */
  async sinkOffset(connector: string): Promise<number> {
    const { offsets } = (await this.#connect('GET', `/connectors/${connector}/offsets`)) as {
      offsets: { offset: { kafka_offset: number } }[]
    }
    return offsets.reduce((sum, { offset }) => sum + offset.kafka_offset, 0)
  }

  /** Asks it to shut down. Gives the exit code, null after a kill. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill(signal)
      await ended
    }
    return child.exitCode
  }

  async #connect(method: string, path: string, body?: unknown): Promise<unknown> {
    return fetchJson(this.addresses.connect + path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    })
  }
}

async function fetchJson(url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(url, init)
  const text = await response.text()
  if (!response.ok)
    throw new Error(`${init?.method ?? 'GET'} ${url}: HTTP ${response.status} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

function parseReady(line: string): Addresses {
  const fields = Object.fromEntries(
    [...line.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  )
  return fields as unknown as Addresses
}

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

export class Millrace {
  readonly addresses: Addresses
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, addresses: Addresses) {
    this.#child = child
    this.addresses = addresses
  }

  /** Resolves at the line that begins with `ready`. @throws with what the program said if it ends before */
  static start(dataDirectory: string, port: number | null = 0): Promise<Millrace> {
    const ports = ['kafka', 'connect', 'registry', 'admin'].flatMap((name) => [
      `--${name}-port`,
      String(port ?? 0),
    ])
    const args = [program, 'start', '--data-dir', dataDirectory, ...ports, '--log-level', 'warn']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    return new Promise((resolve, reject) => {
      let output = ''
      let errors = ''
      child.stderr.on(
        'data',
        (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)),
      )
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        const line = /^ready .*$/m.exec(output)?.[0]
        if (line) resolve(new Millrace(child, parseReady(line)))
      })
      child.once('exit', (code) =>
        reject(new Error(`millrace ended with code ${code}: ${errors.trim()}`)),
      )
    })
  }

  get pid(): number {
    return this.#child.pid as number
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

  connectors(): Promise<{
    connectors: readonly {
      name: string
      state: string
      trace: string | null
      tasks: readonly { state: string; trace: string | null }[]
    }[]
  }> {
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

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await ended
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

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../peers/free-ports'

const MAIN = join(__dirname, '../../../apps/broker/dist/main.js')

/** A broker in a process of its own, to be killed and started again on the same directory and port. */
export class BrokerProcess {
  readonly port: number
  readonly #directory: string
  readonly #properties: readonly string[]
  #child: ChildProcess | null = null

  private constructor(directory: string, port: number, properties: Record<string, string>) {
    this.port = port
    this.#directory = directory
    this.#properties = [
      `listeners=PLAINTEXT://127.0.0.1:${port}`,
      `log.dirs=${join(directory, 'data')}`,
      ...Object.entries(properties).map(([key, value]) => `${key}=${value}`),
    ]
  }

  static async prepare(properties: Record<string, string>): Promise<BrokerProcess> {
    const port = await freePort()
    return new BrokerProcess(mkdtempSync(join(tmpdir(), 'millrace-killed-')), port, properties)
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const file = join(this.#directory, 'server.properties')
    writeFileSync(file, this.#properties.join('\n'))
    const child = spawn(process.execPath, [MAIN, file], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => {
      text += String(chunk)
    })
    while (!text.includes(`PLAINTEXT://127.0.0.1:${this.port}`)) {
      await Promise.race([once(child.stderr, 'data'), once(child, 'exit')])
      if (child.exitCode !== null) throw new Error(text)
    }
  }

  /** With SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Kills it and removes its directory. */
  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

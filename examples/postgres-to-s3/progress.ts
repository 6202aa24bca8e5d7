import { TOPIC_PREFIX } from './connectors.ts'
import type { Millrace } from './millrace.ts'
import type { ObjectReader } from './objects.ts'

/** What the demo tells while it runs: lines that stay, and one that is drawn anew on a terminal. */
export class Progress {
  readonly #isQuiet: boolean
  readonly #isTerminal = process.stderr.isTTY === true
  #lastCount = 0
  #lastMs = 0
  #hasStatusLine = false

  /** Quiet: nothing but errors, for runs whose output is read by a program. */
  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet
  }

  say(line: string): void {
    if (this.#isQuiet) return
    this.finish()
    process.stderr.write(`${line}\n`)
  }

  async show(millrace: Millrace, objects: ObjectReader): Promise<void> {
    if (this.#isQuiet) return
    const [topics, { connectors }, objectCount] = await Promise.all([
      millrace.topics(`${TOPIC_PREFIX}.`),
      millrace.connectors(),
      objects.count(),
    ])
    const count = topics.reduce((sum, { offsetCount }) => sum + offsetCount, 0)
    const nowMs = performance.now()
    const rate =
      this.#lastMs === 0 ? 0 : ((count - this.#lastCount) * 1000) / (nowMs - this.#lastMs)
    this.#lastCount = count
    this.#lastMs = nowMs
    const states = connectors.map(({ name, state, tasks }) => `${name} ${tasks[0]?.state ?? state}`)
    const areRunning = states.every((state) => state.endsWith(' RUNNING'))
    this.#status(
      `${grouped(count)} records, ${grouped(rate)}/s, ${grouped(objectCount)} objects, ${millrace.peakRssMb()} MB, ${areRunning ? 'connectors RUNNING' : states.join(', ')}`,
    )
    for (const { name, trace, tasks } of connectors) {
      const cause = trace ?? tasks.find((task) => task.trace)?.trace
      if (cause) this.say(`${name}: ${cause.split('\n')[0]}`)
    }
  }

  /** Ends the line that is drawn anew. */
  finish(): void {
    if (this.#hasStatusLine) process.stderr.write('\n')
    this.#hasStatusLine = false
  }

  /** Cut to the width of the terminal: a line that wraps could not be drawn anew. */
  #status(line: string): void {
    const width = (process.stderr.columns || 80) - 1
    process.stderr.write(this.#isTerminal ? `\r\x1b[2K${line.slice(0, width)}` : `${line}\n`)
    this.#hasStatusLine = this.#isTerminal
  }
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en')
}

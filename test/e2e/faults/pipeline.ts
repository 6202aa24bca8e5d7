import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  connectorConfigs,
  SINK_NAME,
  SOURCE_NAME,
  TOPIC_PREFIX,
} from '../../../examples/postgres-to-s3/connectors'
import {
  type ConnectorSummary,
  Millrace,
  type MillraceOptions,
} from '../../../examples/postgres-to-s3/millrace'
import type { ObjectReader } from '../../../examples/postgres-to-s3/objects'
import { Shop } from '../../../examples/postgres-to-s3/shop'
import { verify } from '../../../examples/postgres-to-s3/verify'
import type { Postgres } from '../../peers/postgres'
import { type CleanUps, fourPorts, openPostgres, rest } from './harness'
import { eventually } from '../wait'

/** The demo's pipeline: a shop in Postgres, the program, the two connectors, and the objects that come out. */
export class Pipeline {
  readonly postgres: Postgres
  readonly shop: Shop
  readonly objects: ObjectReader
  millrace: Millrace
  readonly #rows: number
  readonly #launch: () => Millrace

  private constructor(parts: {
    readonly postgres: Postgres
    readonly shop: Shop
    readonly objects: ObjectReader
    readonly rows: number
    readonly launch: () => Millrace
  }) {
    this.postgres = parts.postgres
    this.shop = parts.shop
    this.objects = parts.objects
    this.#rows = parts.rows
    this.#launch = parts.launch
    this.millrace = parts.launch()
  }

  /** Resolves when both connectors are created. `sinkConfig` goes on top of what the reader's place needs. */
  static async start(
    cleanUps: CleanUps,
    options: {
      readonly rows: number
      readonly objects: ObjectReader
      readonly sinkConfig?: Readonly<Record<string, string>>
    },
  ): Promise<Pipeline> {
    const { rows, objects } = options
    const postgres = await openPostgres()
    cleanUps.add(() => postgres.stop())
    const shop = new Shop(postgres.url)
    cleanUps.add(() => shop.close())
    await shop.create(rows)
    const settings: MillraceOptions = { ports: await fourPorts() }
    const data = join(cleanUps.directory(), 'data')
    const launch = () => Millrace.launch(data, settings)
    const pipeline = new Pipeline({ postgres, shop, objects, rows, launch })
    cleanUps.add(() => pipeline.millrace.kill())
    await pipeline.millrace.ready()
    const store = { ...objects.sinkConfig, ...options.sinkConfig }
    const { source, sink } = connectorConfigs(postgres.url, store, rows)
    await pipeline.millrace.createConnector(SOURCE_NAME, source)
    await pipeline.millrace.createConnector(SINK_NAME, sink)
    return pipeline
  }

  /** `kill -9` and a new start; `recoveryMs` also kills that one so long after it began. */
  async killAndRestart(recoveryMs: number | null): Promise<void> {
    await this.millrace.kill()
    this.millrace = this.#launch()
    if (recoveryMs !== null) {
      this.millrace.ready().catch(() => undefined)
      await sleep(recoveryMs)
      await this.millrace.kill()
      this.millrace = this.#launch()
    }
    await this.millrace.ready()
  }

  /** Records in the log. */
  async recordCount(): Promise<number> {
    const topics = await this.millrace.topics(`${TOPIC_PREFIX}.`)
    return topics.reduce((sum, { offsetCount }) => sum + offsetCount, 0)
  }

  /** The offset of a source that streams says nothing of a snapshot any more. */
  async isSnapshotDone(): Promise<boolean> {
    const { body } = await rest(this.millrace, 'GET', `/connectors/${SOURCE_NAME}/offsets`)
    const offset = body.offsets?.[0]?.offset
    if (offset === undefined) return false
    return offset.snapshot === undefined || offset.last_snapshot_record === true
  }

  /** Both connectors started their tasks by themselves, and nothing troubles them. */
  async untilRunning(): Promise<void> {
    await eventually(async () => {
      const { connectors } = await this.millrace.connectors()
      const running = expect.objectContaining({ state: 'RUNNING', trace: null })
      expect(Object.fromEntries(connectors.map(({ name, tasks }) => [name, tasks]))).toEqual({
        [SINK_NAME]: [running],
        [SOURCE_NAME]: [running],
      })
    }, 40_000)
  }

  /** Waits until a connector's task tells of trouble, and gives the cause. */
  async untilTrouble(name: string): Promise<string> {
    return eventually(async () => {
      const { connectors } = await this.millrace.connectors()
      const [task] = connectors.find((one) => one.name === name)?.tasks ?? []
      expect(task).toMatchObject({ state: 'RUNNING', trace: expect.any(String) })
      return task.trace as string
    })
  }

  /** Waits until the objects hold all rows, at least `changes` changes, and the last state of every row, in order. */
  async untilComplete(changes: number): Promise<void> {
    await eventually(async () => {
      const verdict = await verify(this.shop, this.objects, { rows: this.#rows, changes })
      expect(verdict).toMatchObject({ lost: 0, out_of_order: 0 })
    }, 40_000)
  }

  /** Runs a part of a test; if it fails, the error also tells how the connectors stood and what the program logged last. */
  async explain(run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (error) {
      const { connectors } = await this.millrace
        .connectors()
        .catch(() => ({ connectors: [] as ConnectorSummary[] }))
      const log = this.millrace.log.split('\n').slice(-20).join('\n')
      throw new Error(`${String(error)}\n${JSON.stringify(connectors, null, 2)}\n${log}`, {
        cause: error,
      })
    }
  }
}

/** Commits changes all the time; `stop` gives the number that were committed for sure. A failed one is tried again, if it may fail. */
export function keepBusy(
  commit: () => Promise<number>,
  { pauseMs, mayFail }: { readonly pauseMs: number; readonly mayFail: boolean },
): { stop(): Promise<number> } {
  let isStopped = false
  let changes = 0
  const working = (async () => {
    while (!isStopped) {
      try {
        changes += await commit()
      } catch (error) {
        if (!mayFail) throw error
      }
      await sleep(pauseMs)
    }
  })()
  working.catch(() => undefined) // thrown by `stop`
  return {
    stop: async () => {
      isStopped = true
      await working
      return changes
    },
  }
}

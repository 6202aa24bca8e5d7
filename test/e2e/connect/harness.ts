// oxlint-disable typescript/no-explicit-any -- what a test expects of a body is its type
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeNet, systemClock, systemRandom } from '@millrace/base'
import { startBroker } from '@millrace/broker'
import { createClient, type Client } from '@millrace/client'
import { startWorker, type RunningWorker } from '@millrace/connect-worker'
import { batch, nextBatchSize, RecordCursor, type RecordHeader } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { testPlugins } from './test-connectors'
import { eventually } from '../wait'

export interface Answer {
  readonly status: number
  readonly body: any
  readonly location: string | null
}

export interface ReadRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly RecordHeader[]
}

/** A broker and one Connect worker on it, in this process, in a directory of their own. */
export class ConnectHarness {
  readonly bootstrap: string
  readonly client: Client
  worker: RunningWorker
  readonly #settings: Readonly<Record<string, string>>
  readonly #close: () => Promise<void>

  private constructor(parts: {
    readonly bootstrap: string
    readonly worker: RunningWorker
    readonly settings: Readonly<Record<string, string>>
    readonly close: () => Promise<void>
  }) {
    this.bootstrap = parts.bootstrap
    this.worker = parts.worker
    this.#settings = parts.settings
    this.#close = parts.close
    this.client = createClient(
      { clock: systemClock, random: systemRandom, logger: silentLogger, net: nodeNet },
      { bootstrapServers: [parts.bootstrap], clientId: 'test' },
    )
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<ConnectHarness> {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-connect-'))
    const broker = await startBroker({
      properties: brokerProperties(directory),
      logger: silentLogger,
    })
    const bootstrap = `127.0.0.1:${broker.addresses[0].port}`
    const worker = await startWorkerOn(bootstrap, settings)
    const close = async () => {
      await broker.close()
      rmSync(directory, { recursive: true })
    }
    return new ConnectHarness({ bootstrap, worker, settings, close })
  }

  async close(): Promise<void> {
    await this.worker.close()
    await this.client.close()
    await this.#close()
  }

  /** A further worker of the same group. The caller closes it. */
  startAnotherWorker(): Promise<RunningWorker> {
    return startWorkerOn(this.bootstrap, this.#settings)
  }

  async restartWorker(): Promise<void> {
    await this.worker.close()
    this.worker = await startWorkerOn(this.bootstrap, this.#settings)
  }

  async rest(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.worker.restAddress + path, {
      method,
      ...(body === undefined
        ? {}
        : {
            headers: { 'content-type': 'application/json' },
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
    })
    const text = await response.text()
    const location = response.headers.get('location')
    return { status: response.status, body: text === '' ? null : JSON.parse(text), location }
  }

  /** Creates a connector and waits until all its tasks run. */
  async create(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const { status, body } = await this.rest('POST', '/connectors', { name, config })
    if (status !== 201) throw new Error(JSON.stringify(body))
    await this.untilTask(name, 'RUNNING')
  }

  /** Waits for a state of task 0 and gives its status. */
  async untilTask(name: string, state: string): Promise<any> {
    return eventually(async () => {
      const { body } = await this.rest('GET', `/connectors/${name}/status`)
      const task = body.tasks?.[0]
      if (task?.state !== state) throw new Error(`${name} is ${JSON.stringify(body)}`)
      return task
    })
  }

  /** All records of partition 0 of a topic; throws while the topic does not exist. */
  async readTopic(topic: string, index = 0): Promise<ReadRecord[]> {
    const partition = { topic, partition: index }
    const [{ offset: latest }] = await this.client.admin().listOffsets([partition], 'latest')
    const consumer = this.client.consumer({})
    const found: ReadRecord[] = []
    try {
      consumer.assign([partition])
      consumer.seek(partition, 0)
      for (let position = 0; position < latest; ) {
        for (const { records } of await consumer.poll(1_000)) {
          for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
            position = Math.max(position, batch.nextOffset(records, at))
            collect(records, at, found)
          }
        }
      }
    } finally {
      await consumer.close()
    }
    return found
  }

  async values(topic: string): Promise<(string | null)[]> {
    return (await this.readTopic(topic)).map(({ value }) => value)
  }

  /** Produces text values to partition 0. */
  async produce(
    topic: string,
    values: readonly (string | null)[],
    key: string | null = null,
  ): Promise<void> {
    const producer = this.client.producer()
    const produced = producer.begin()
    for (const value of values) {
      const bytes = value === null ? null : Buffer.from(value)
      produced.add(topic, 0, Date.now(), key === null ? null : Buffer.from(key), bytes)
    }
    await produced.done()
    await producer.close()
  }

  async createTopic(name: string, partitions = 1): Promise<void> {
    await this.client
      .admin()
      .createTopics([{ name, partitions, replicationFactor: 1, configs: {} }])
  }
}

function collect(records: Buffer, at: number, found: ReadRecord[]): void {
  const cursor = new RecordCursor()
  for (cursor.open(records, at); cursor.next(); ) {
    found.push({
      offset: cursor.offset,
      key: cursor.key()?.toString() ?? null,
      value: cursor.value()?.toString() ?? null,
      headers: cursor.headers(),
    })
  }
}

function brokerProperties(directory: string): Record<string, string> {
  return {
    'node.id': '1',
    'process.roles': 'broker,controller',
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'log.dirs': directory,
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
  }
}

export function startWorkerOn(
  bootstrap: string,
  settings: Readonly<Record<string, string>>,
): Promise<RunningWorker> {
  return startWorker({
    logger: silentLogger,
    plugins: testPlugins,
    environment: { TEST_SECRET: 'hidden-value' },
    properties: {
      'bootstrap.servers': bootstrap,
      'group.id': 'connect-test',
      'config.storage.topic': 'connect-configs',
      'offset.storage.topic': 'connect-offsets',
      'status.storage.topic': 'connect-status',
      'config.storage.replication.factor': '1',
      'offset.storage.replication.factor': '1',
      'offset.storage.partitions': '2',
      'status.storage.replication.factor': '1',
      'status.storage.partitions': '2',
      'key.converter': 'StringConverter',
      'value.converter': 'StringConverter',
      'offset.flush.interval.ms': '200',
      listeners: 'http://127.0.0.1:0',
      ...settings,
    },
  })
}

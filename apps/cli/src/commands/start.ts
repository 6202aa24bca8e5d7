import { startAdmin } from '@millrace/admin'
import { type RunningBroker, startBroker } from '@millrace/broker'
import type { Properties } from '@millrace/config'
import { command, parseOverrides } from '../command'
import { logOption, parseLogLevel, programLogger } from '../logging'
import { reservePort } from '../reserved-port'
import { closeOnSignal } from '../shutdown'
import { WorkerHost } from '../worker-host'
import { releaseYoungGeneration } from '../young-generation'

export const startCommand = command({
  name: 'start',
  description:
    'Runs everything in one process: the broker and the admin page on the main thread, the Connect worker in a thread of its own.\nPrints one line that begins with "ready" when all of them answer. Listens on 127.0.0.1 unless told otherwise.',
  options: {
    'data-dir': {
      type: 'string',
      value: 'DIR',
      default: 'millrace-data',
      doc: 'Directory for everything that is kept.',
    },
    host: {
      type: 'string',
      value: 'ADDRESS',
      default: '127.0.0.1',
      doc: 'Address to listen on.',
    },
    'kafka-port': { type: 'port', default: '9092', doc: 'Port of the broker.' },
    'connect-port': { type: 'port', default: '8083', doc: 'Port of the Connect REST API.' },
    'registry-port': {
      type: 'port',
      default: '8081',
      doc: 'Port that is kept for the schema registry.',
    },
    'admin-port': { type: 'port', default: '8080', doc: 'Port of the admin page and API.' },
    broker: {
      type: 'list',
      short: 'o',
      value: 'KEY=VALUE',
      doc: 'Set a broker key, as in a server.properties; may be repeated.',
    },
    worker: {
      type: 'list',
      short: 'w',
      value: 'KEY=VALUE',
      doc: 'Set a worker key, as in a Connect worker file; may be repeated.',
    },
    ...logOption,
  },
  async run(args) {
    const logger = programLogger(parseLogLevel(args['log-level']))
    const brokerProperties = {
      ...embeddedBrokerDefaults(args['data-dir'], args.host, args['kafka-port']),
      ...parseOverrides('start', '-o', args.broker),
    }
    const workerOverrides = parseOverrides('start', '-w', args.worker)
    const closers: (() => Promise<void>)[] = []
    closeOnSignal(logger, () => closeAll(closers))

    try {
      const workerHost = new WorkerHost(logger.child({ role: 'worker' }))
      closers.unshift(() => workerHost.close())
      const broker = await startBroker({
        properties: brokerProperties,
        logger: logger.child({ role: 'broker' }),
        onFatal: () => process.exit(1),
      })
      closers.push(() => broker.close())
      const bootstrap = bootstrapOf(broker)
      const connect = workerHost.start({
        properties: {
          ...embeddedWorkerDefaults(bootstrap, args.host, args['connect-port']),
          ...workerOverrides,
        },
        logLevel: parseLogLevel(args['log-level']),
      })
      const registry = await reservePort(
        'schema registry',
        args.host,
        args['registry-port'],
        '--registry-port',
      )
      closers.unshift(() => registry.close())
      const connectUrl = await connect
      const admin = await startAdmin({
        bootstrapServers: [bootstrap],
        connectUrl,
        host: args.host,
        port: args['admin-port'],
        metrics: broker.metrics,
        logger: logger.child({ role: 'admin' }),
      })
      closers.unshift(() => admin.close())
      releaseYoungGeneration()
      process.stdout.write(
        `ready kafka=${bootstrap} connect=${connectUrl} registry=${registry.address} (reserved) admin=${admin.address}\n`,
      )
    } catch (error) {
      await closeAll(closers)
      throw error
    }
  },
})

/** What one node needs instead of Kafka's defaults, which are made for a cluster of three. */
function embeddedBrokerDefaults(dataDirectory: string, host: string, port: number): Properties {
  return {
    'node.id': '1',
    'log.dirs': dataDirectory,
    listeners: `PLAINTEXT://${host}:${port}`,
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.replication.factor': '1',
  }
}

function embeddedWorkerDefaults(bootstrap: string, host: string, port: number): Properties {
  const json = 'org.apache.kafka.connect.json.JsonConverter'
  return {
    'bootstrap.servers': bootstrap,
    'group.id': 'millrace-connect',
    'group.instance.id': 'millrace-start',
    'key.converter': json,
    'value.converter': json,
    'config.storage.topic': 'connect-configs',
    'config.storage.replication.factor': '1',
    'offset.storage.topic': 'connect-offsets',
    'offset.storage.replication.factor': '1',
    'status.storage.topic': 'connect-status',
    'status.storage.replication.factor': '1',
    'offset.flush.interval.ms': '5000',
    listeners: `http://${host}:${port}`,
  }
}

function bootstrapOf(broker: RunningBroker): string {
  const { host, port } = broker.addresses[0]
  return `${host}:${port}`
}

/** In order: the worker first, so that its last offsets reach the broker. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closers) await close()
}

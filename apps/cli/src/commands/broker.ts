import { startBroker } from '@millrace/broker'
import { command } from '../command'
import { configOptions, readProperties } from '../config-file'
import { logOption, parseLogLevel, programLogger } from '../logging'
import { closeOnSignal } from '../shutdown'

export const brokerCommand = command({
  name: 'broker',
  description:
    "Runs a broker alone. The file is a Kafka server.properties; keys that this broker does not know are named and ignored.\nDefaults are Kafka's, with replication factors of internal topics capped at the live brokers.",
  options: { ...configOptions, ...logOption },
  async run(args) {
    const logger = programLogger(parseLogLevel(args['log-level']))
    const properties = readProperties('broker', args.config, args.override)
    const broker = await startBroker({ properties, logger, onFatal: () => process.exit(1) })
    closeOnSignal(logger, () => broker.close())
    const listeners = broker.addresses.map(({ name, host, port }) => `${name}://${host}:${port}`)
    const metrics =
      broker.metricsAddress === null ? '' : ` metrics=${broker.metricsAddress}/metrics`
    process.stdout.write(`ready kafka=${listeners.join(',')}${metrics}\n`)
  },
})

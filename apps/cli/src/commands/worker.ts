import { startWorker } from '@millrace/connect-worker'
import { command } from '../command'
import { configOptions, readProperties } from '../config-file'
import { logOption, parseLogLevel, programLogger } from '../logging'
import { closeOnSignal } from '../shutdown'
import { releaseYoungGeneration } from '../young-generation'

export const workerCommand = command({
  name: 'worker',
  description:
    'Runs a Connect worker alone. The file is the properties file of a distributed Kafka Connect worker (bootstrap.servers, group.id,\nkey.converter, value.converter, config.storage.topic, offset.storage.topic, status.storage.topic, listeners, plugin.path, ...).',
  options: { ...configOptions, ...logOption },
  async run(args) {
    const logger = programLogger(parseLogLevel(args['log-level']))
    const worker = await startWorker({
      properties: readProperties('worker', args.config, args.override),
      logger,
    })
    closeOnSignal(logger, () => worker.close())
    releaseYoungGeneration()
    process.stdout.write(`ready connect=${worker.restAddress}\n`)
  },
})

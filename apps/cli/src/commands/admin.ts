import { startAdmin } from '@millrace/admin'
import { command } from '../command'
import { logOption, parseLogLevel, programLogger } from '../logging'
import { closeOnSignal } from '../shutdown'

export const adminCommand = command({
  name: 'admin',
  description:
    'Runs the admin API and page alone, for any Kafka-compatible cluster and any Connect worker.',
  options: {
    'bootstrap-server': {
      type: 'string',
      value: 'HOST:PORT',
      default: '127.0.0.1:9092',
      doc: 'A broker of the cluster.',
    },
    'connect-url': {
      type: 'string',
      value: 'URL',
      default: 'http://127.0.0.1:8083',
      doc: 'REST address of a Connect worker.',
    },
    host: { type: 'string', default: '127.0.0.1', doc: 'Address to listen on.' },
    'admin-port': { type: 'port', default: '8080', doc: 'Port to listen on.' },
    ...logOption,
  },
  async run(args) {
    const logger = programLogger(parseLogLevel(args['log-level']))
    const admin = await startAdmin({
      bootstrapServers: args['bootstrap-server'].split(','),
      connectUrl: args['connect-url'],
      host: args.host,
      port: args['admin-port'],
      logger,
    })
    closeOnSignal(logger, () => admin.close())
    process.stdout.write(`ready admin=${admin.address}\n`)
  },
})

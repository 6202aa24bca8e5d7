import { startAdmin } from '@millrace/admin'
import { command } from '../command'
import { configOptions, readProperties } from '../config-file'
import { cliErrors } from '../errors'
import { logOption, parseLogLevel, programLogger } from '../logging'
import { closeOnSignal } from '../shutdown'

export const adminCommand = command({
  name: 'admin',
  description:
    'Runs the admin API and page alone, for any Kafka-compatible cluster and any Connect worker. The file holds what a Kafka\nclient needs to connect and log in (security.protocol, ssl.*, sasl.*).',
  options: {
    'bootstrap-server': {
      type: 'string',
      value: 'HOST:PORT',
      default: '127.0.0.1:9092',
      doc: 'A broker of the cluster; several are separated by commas.',
    },
    'connect-url': {
      type: 'string',
      value: 'URL',
      default: 'http://127.0.0.1:8083',
      doc: 'REST address of a Connect worker.',
    },
    host: {
      type: 'string',
      value: 'ADDRESS',
      default: '127.0.0.1',
      doc: 'Address to listen on.',
    },
    'admin-port': { type: 'port', default: '8080', doc: 'Port to listen on.' },
    ...configOptions,
    ...logOption,
  },
  async run(args) {
    const logger = programLogger(parseLogLevel(args['log-level']))
    const admin = await startAdmin({
      bootstrapServers: parseServers(args['bootstrap-server']),
      properties: readProperties('admin', args.config, args.override),
      connectUrl: args['connect-url'],
      host: args.host,
      port: args['admin-port'],
      logger,
    })
    closeOnSignal(logger, () => admin.close())
    process.stdout.write(`ready admin=${admin.address}\n`)
  },
})

/** @throws PlatformError CLI_USAGE naming the first that is not `host:port` */
function parseServers(list: string): readonly string[] {
  const servers = list.split(',').map((server) => server.trim())
  const wrong = servers.find((server) => !/^.+:\d+$/.test(server))
  if (wrong === undefined) return servers
  const problem = `--bootstrap-server ${wrong} is not of the form host:port`
  throw cliErrors.create('CLI_USAGE', { problem, command: 'admin' })
}

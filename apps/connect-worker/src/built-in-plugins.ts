import type { ConnectorPlugin } from '@millrace/connect-api'
import type { ConnectorEntry, PluginSet } from '@millrace/connect-runtime'
import { converters, headerConverters } from '@millrace/converters'
import { transforms } from '@millrace/transforms'

type Package = () => Promise<{ readonly plugins: readonly ConnectorPlugin[] }>

/** The connectors that come with the worker. A package is loaded when its first connector is used. */
const connectors: readonly ConnectorEntry[] = [
  entry(() => import('@millrace/connector-file'), {
    name: 'file-source',
    classNames: ['org.apache.kafka.connect.file.FileStreamSourceConnector'],
    type: 'source',
    version: '0.1.0',
  }),
  entry(() => import('@millrace/connector-file'), {
    name: 'file-sink',
    classNames: ['org.apache.kafka.connect.file.FileStreamSinkConnector'],
    type: 'sink',
    version: '0.1.0',
  }),
  entry(() => import('@millrace/connector-postgres-cdc'), {
    name: 'postgres-cdc',
    classNames: ['io.debezium.connector.postgresql.PostgresConnector'],
    type: 'source',
    version: '0.1.0',
  }),
  entry(() => import('@millrace/connector-s3'), {
    name: 's3',
    classNames: ['io.confluent.connect.s3.S3SinkConnector'],
    type: 'sink',
    version: '0.1.0',
  }),
]

export const builtInPlugins: PluginSet = { connectors, transforms, converters, headerConverters }

function entry(load: Package, described: Omit<ConnectorEntry, 'load'>): ConnectorEntry {
  return {
    ...described,
    load: async () => {
      const { plugins } = await load()
      const plugin = plugins.find(({ name }) => name === described.name)
      if (plugin === undefined) throw new TypeError(`the package of ${described.name} lacks it`)
      return plugin
    },
  }
}

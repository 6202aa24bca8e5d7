import { sourceConnector } from '@millrace/connect-api'
import { CONNECTOR_VERSION } from './envelope'
import { checkOptions, options } from './options'
import { PostgresTask } from './task'

const TASK_CLASS = 'io.debezium.connector.postgresql.PostgresConnectorTask'

/** Changes of a Postgres database, as Debezium's connector gives them. */
export const postgresCdc = sourceConnector({
  name: 'postgres-cdc',
  classNames: ['io.debezium.connector.postgresql.PostgresConnector'],
  version: CONNECTOR_VERSION,
  doc: 'Reads tables of a Postgres database and then every change of them, in Debezium’s format.',
  options,
  validate: checkOptions,
  // One slot, hence one task. Its class is stored for workers of Kafka Connect, which look for it.
  taskConfigs: async (properties) => [{ ...properties, 'task.class': TASK_CLASS }],
  createTask: (config, context) => new PostgresTask(config, context),
})

/** The two connectors, configured as they would be for Kafka Connect. */
export const SOURCE_NAME = 'shop-source'
export const SINK_NAME = 'shop-archive'
export const TOPIC_PREFIX = 'shop'
export const SLOT_NAME = 'millrace_demo'
export const PUBLICATION_NAME = 'millrace_demo'

type ConnectorConfig = Readonly<Record<string, string>>

const JSON_WITHOUT_SCHEMAS: ConnectorConfig = {
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'key.converter.schemas.enable': 'false',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
  'value.converter.decimal.format': 'NUMERIC',
}

export function connectorConfigs(
  databaseUrl: string,
  store: ConnectorConfig,
  recordCount: number,
): { source: ConnectorConfig; sink: ConnectorConfig } {
  const url = new URL(databaseUrl)
  const source = {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    'database.hostname': url.hostname,
    'database.port': url.port || '5432',
    'database.user': decodeURIComponent(url.username),
    'database.password': decodeURIComponent(url.password),
    'database.dbname': url.pathname.slice(1),
    'topic.prefix': TOPIC_PREFIX,
    'plugin.name': 'pgoutput',
    'slot.name': SLOT_NAME,
    'publication.name': PUBLICATION_NAME,
    'publication.autocreate.mode': 'filtered',
    'table.include.list': 'public.customers,public.orders',
    ...JSON_WITHOUT_SCHEMAS,
    // Exact numbers as text: JSON numbers are read as doubles by most readers.
    'decimal.handling.mode': 'string',
  }
  const sink = {
    'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
    'tasks.max': '1',
    'topics.regex': `${TOPIC_PREFIX}\\.public\\..*`,
    'storage.class': 'io.confluent.connect.s3.storage.S3Storage',
    'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
    'flush.size': String(Math.min(50_000, Math.max(100, Math.floor(recordCount / 20)))),
    'rotate.schedule.interval.ms': '2000',
    'behavior.on.null.values': 'ignore',
    ...store,
    ...JSON_WITHOUT_SCHEMAS,
  }
  return { source, sink }
}

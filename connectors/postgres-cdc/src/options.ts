import {
  boolean,
  type ConfigOf,
  type ConfigProblem,
  int,
  long,
  oneOf,
  password,
  string,
} from '@millrace/connect-api'
import { parsePatterns } from './schema/patterns'

function patternList(name: string, doc: string) {
  return string(name, {
    default: null,
    doc,
    check: (text: string) => {
      try {
        parsePatterns(text)
        return null
      } catch {
        return 'a comma-separated list of regular expressions'
      }
    },
  })
}

/** The options, under Debezium's names. What is not here is accepted and has no effect. */
export const options = {
  topicPrefix: string('topic.prefix', {
    importance: 'HIGH',
    doc: 'Name of this source: first part of every topic and schema name, and the key of its offsets.',
    check: (text: string) =>
      /^[A-Za-z0-9._-]+$/.test(text) ? null : 'letters, digits, dots, hyphens and underscores',
  }),
  hostname: string('database.hostname', { importance: 'HIGH', doc: 'Host of the database.' }),
  port: int('database.port', { default: 5432, min: 1, max: 65_535, doc: 'Port of the database.' }),
  user: string('database.user', {
    importance: 'HIGH',
    doc: 'Role to log in as; needs REPLICATION and the right to read the tables.',
  }),
  password: password('database.password', { default: null, doc: 'Password of the role.' }),
  database: string('database.dbname', { importance: 'HIGH', doc: 'Database to read.' }),
  sslMode: oneOf(
    'database.sslmode',
    ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'],
    { default: 'prefer', doc: 'When to use TLS and what to check of the certificate.' },
  ),
  sslCert: string('database.sslcert', {
    default: null,
    doc: 'File of the client certificate (PEM).',
  }),
  sslKey: string('database.sslkey', { default: null, doc: "File of the client's key (PEM)." }),
  sslPassword: password('database.sslpassword', {
    default: null,
    doc: "Password of the client's key.",
  }),
  sslRootCert: string('database.sslrootcert', {
    default: null,
    doc: 'File of the certificates that may sign the server (PEM).',
  }),
  tcpKeepAlive: boolean('database.tcpKeepAlive', { default: true, doc: 'TCP keep-alive probes.' }),
  pluginName: oneOf('plugin.name', ['decoderbufs', 'pgoutput'], {
    default: 'decoderbufs',
    doc: "Output plugin. Always pgoutput; Debezium's default is accepted with a warning.",
  }),
  slotName: string('slot.name', {
    default: 'debezium',
    doc: 'Replication slot; made if missing.',
    check: (text: string) =>
      /^[a-z0-9_]{1,63}$/.test(text) ? null : 'up to 63 lower-case letters, digits and underscores',
  }),
  slotDropOnStop: boolean('slot.drop.on.stop', {
    default: false,
    doc: 'Drop the slot when the task stops: changes made while it is stopped are then lost.',
  }),
  slotFailover: boolean('slot.failover', {
    default: false,
    doc: 'Make the slot a failover slot (Postgres 17 and later).',
  }),
  publicationName: string('publication.name', {
    default: 'dbz_publication',
    doc: 'Publication to stream; made if missing.',
    check: (text: string) => (text.trim() === '' ? 'a name' : null),
  }),
  publicationAutocreateMode: oneOf(
    'publication.autocreate.mode',
    ['all_tables', 'filtered', 'disabled', 'no_tables'],
    {
      default: 'all_tables',
      doc: 'What a missing publication is made for: all tables, the captured ones, none; or not made.',
    },
  ),
  publishViaPartitionRoot: boolean('publish.via.partition.root', {
    default: false,
    doc: 'Report changes of partitions as changes of their root table.',
  }),
  schemaIncludeList: patternList('schema.include.list', 'Schemas to capture.'),
  schemaExcludeList: patternList('schema.exclude.list', 'Schemas to leave out.'),
  tableIncludeList: patternList('table.include.list', 'Tables to capture, `schema.table`.'),
  tableExcludeList: patternList('table.exclude.list', 'Tables to leave out, `schema.table`.'),
  columnIncludeList: patternList('column.include.list', 'Columns to keep, `schema.table.column`.'),
  columnExcludeList: patternList('column.exclude.list', 'Columns to drop, `schema.table.column`.'),
  messageKeyColumns: string('message.key.columns', {
    default: null,
    doc: 'Key columns of tables: `schema.table:a,b;other.table:c`, the table being a regular expression.',
    check: (text: string) =>
      text.split(';').every((part) => part.trim() === '' || /^[^:]+:[^:]+$/.test(part))
        ? null
        : '`schema.table:column,column` parts, separated by semicolons',
  }),
  snapshotMode: oneOf(
    'snapshot.mode',
    ['initial', 'always', 'initial_only', 'no_data', 'never', 'when_needed'],
    { default: 'initial', doc: 'When to read the tables as they are before streaming.' },
  ),
  maxBatchSize: int('max.batch.size', {
    default: 2048,
    min: 1,
    doc: 'Most events that one poll gives.',
  }),
  maxQueueSize: int('max.queue.size', {
    default: 8192,
    min: 1,
    doc: 'Must exceed max.batch.size. What waits is bytes: see max.queue.size.in.bytes.',
  }),
  maxQueueBytes: long('max.queue.size.in.bytes', {
    default: 0,
    min: 0,
    unit: 'bytes',
    doc: 'Bytes read ahead before the socket is paused; 0 means 4 MiB.',
  }),
  pollIntervalMs: long('poll.interval.ms', {
    default: 500,
    min: 1,
    unit: 'ms',
    doc: 'Longest wait of a poll for the first event; at most a second.',
  }),
  heartbeatIntervalMs: long('heartbeat.interval.ms', {
    default: 0,
    min: 0,
    unit: 'ms',
    doc: 'How often to write a heartbeat record; 0 for never.',
  }),
  heartbeatTopicsPrefix: string('heartbeat.topics.prefix', {
    default: '__debezium-heartbeat',
    doc: 'Heartbeats go to `<this>.<topic.prefix>`.',
  }),
  heartbeatActionQuery: string('heartbeat.action.query', {
    default: null,
    doc: 'SQL to run with each heartbeat.',
  }),
  statusUpdateIntervalMs: long('status.update.interval.ms', {
    default: 10_000,
    min: 10,
    unit: 'ms',
    doc: 'How often to tell the server how far we are.',
  }),
  flushLsnSource: boolean('flush.lsn.source', {
    default: true,
    doc: 'Confirm stored positions to the slot. Without it the slot keeps all WAL until someone else advances it.',
  }),
  tombstonesOnDelete: boolean('tombstones.on.delete', {
    default: true,
    doc: 'Follow each delete with a record of null value.',
  }),
  skippedOperations: string('skipped.operations', {
    default: 't',
    doc: 'Operations to leave out: c, u, d, t, or none.',
    check: (text: string) =>
      /^\s*(none|[cudt](\s*,\s*[cudt])*)\s*$/.test(text)
        ? null
        : 'none, or a list of c, u, d and t',
  }),
  provideTransactionMetadata: boolean('provide.transaction.metadata', {
    default: false,
    doc: 'Number events inside their transaction and write its begin and end to `<topic.prefix>.transaction`.',
  }),
  decimalHandlingMode: oneOf('decimal.handling.mode', ['precise', 'string', 'double'], {
    default: 'precise',
    ignoreCase: true,
    doc: 'How numeric and money are represented.',
  }),
  timePrecisionMode: oneOf(
    'time.precision.mode',
    ['adaptive', 'adaptive_time_microseconds', 'connect'],
    { default: 'adaptive', ignoreCase: true, doc: 'How dates and times are represented.' },
  ),
  binaryHandlingMode: oneOf('binary.handling.mode', ['bytes', 'base64', 'base64-url-safe', 'hex'], {
    default: 'bytes',
    ignoreCase: true,
    doc: 'How bytea is represented.',
  }),
  intervalHandlingMode: oneOf('interval.handling.mode', ['numeric', 'string'], {
    default: 'numeric',
    ignoreCase: true,
    doc: 'How interval is represented: microseconds, or ISO 8601.',
  }),
  hstoreHandlingMode: oneOf('hstore.handling.mode', ['json', 'map'], {
    default: 'json',
    ignoreCase: true,
    doc: 'How hstore is represented.',
  }),
  moneyFractionDigits: int('money.fraction.digits', {
    default: 2,
    min: 0,
    max: 10,
    doc: 'Scale of money values.',
  }),
  unavailableValuePlaceholder: string('unavailable.value.placeholder', {
    default: '__debezium_unavailable_value',
    doc: 'Stands for a large value that an update left as it was.',
  }),
  includeUnknownDatatypes: boolean('include.unknown.datatypes', {
    default: false,
    doc: 'Give columns of types without a mapping as the bytes of their text; else leave them out.',
  }),
}

export type PostgresConfig = ConfigOf<typeof options>

/** What is wrong with options that are each well formed. */
export function checkOptions(config: PostgresConfig): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const exclusive = (kind: string, include: string | null, exclude: string | null) => {
    if (include === null || exclude === null) return
    const expected = `nothing, since ${kind}.include.list is given`
    problems.push({ key: `${kind}.exclude.list`, given: exclude, expected })
  }
  exclusive('schema', config.schemaIncludeList, config.schemaExcludeList)
  exclusive('table', config.tableIncludeList, config.tableExcludeList)
  exclusive('column', config.columnIncludeList, config.columnExcludeList)
  if (config.maxQueueSize <= config.maxBatchSize) {
    problems.push({
      key: 'max.queue.size',
      given: String(config.maxQueueSize),
      expected: `more than max.batch.size (${config.maxBatchSize})`,
    })
  }
  return problems
}

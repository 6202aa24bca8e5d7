import {
  boolean,
  className,
  int,
  list,
  long,
  oneOf,
  short,
  string,
  type Importance,
} from '@millrace/config'

const COMMON = 'Common'
const TRANSFORMS = 'Transforms'
const PREDICATES = 'Predicates'
const ERRORS = 'Error Handling'

const CONTROL_CHARACTER = /\p{Cc}/u

/** Keys that every connector has, whatever its class. */
export const commonConnectorConfig = {
  name: string('name', {
    importance: 'HIGH',
    group: COMMON,
    doc: 'Name of the connector, unique in the Connect cluster.',
    check: (value) =>
      value.trim() === '' || CONTROL_CHARACTER.test(value)
        ? 'a name that is not empty and has no control characters'
        : null,
  }),
  connectorClass: string('connector.class', {
    importance: 'HIGH',
    group: COMMON,
    doc: 'The connector plugin: its full class name, its simple name, or its short name.',
  }),
  connectorPluginVersion: pluginVersion('connector.plugin.version', 'MEDIUM'),
  tasksMax: int('tasks.max', {
    default: 1,
    min: 1,
    importance: 'HIGH',
    group: COMMON,
    doc: 'The most tasks that the connector may be split into.',
  }),
  tasksMaxEnforce: boolean('tasks.max.enforce', {
    default: true,
    importance: 'LOW',
    group: COMMON,
    doc: 'Whether a connector that makes more tasks than tasks.max fails.',
  }),
  keyConverter: className('key.converter', {
    default: null,
    importance: 'LOW',
    group: COMMON,
    doc: "Converter of record keys. Without it the worker's is used.",
  }),
  keyConverterPluginVersion: pluginVersion('key.converter.plugin.version', 'LOW'),
  valueConverter: className('value.converter', {
    default: null,
    importance: 'LOW',
    group: COMMON,
    doc: "Converter of record values. Without it the worker's is used.",
  }),
  valueConverterPluginVersion: pluginVersion('value.converter.plugin.version', 'LOW'),
  headerConverter: className('header.converter', {
    default: null,
    importance: 'LOW',
    group: COMMON,
    doc: "Converter of record headers. Without it the worker's is used.",
  }),
  headerConverterPluginVersion: pluginVersion('header.converter.plugin.version', 'LOW'),
  transforms: list('transforms', {
    default: [],
    importance: 'LOW',
    group: TRANSFORMS,
    doc: 'Aliases of the transforms that records pass, in order.',
    check: (aliases) => (hasDuplicates(aliases) ? 'aliases that differ from each other' : null),
  }),
  predicates: list('predicates', {
    default: [],
    importance: 'LOW',
    group: PREDICATES,
    doc: 'Aliases of the predicates that transforms may name.',
    check: (aliases) => (hasDuplicates(aliases) ? 'aliases that differ from each other' : null),
  }),
  configActionReload: oneOf('config.action.reload', ['none', 'restart'], {
    default: 'restart',
    importance: 'LOW',
    group: COMMON,
    doc: 'What to do when a config provider announces a changed value.',
  }),
  errorsRetryTimeoutMs: long('errors.retry.timeout', {
    default: 0,
    min: -1,
    unit: 'ms',
    group: ERRORS,
    doc: 'How long a failed transform or conversion of one record is tried again; 0 never, -1 for ever.',
  }),
  errorsRetryDelayMaxMs: long('errors.retry.delay.max.ms', {
    default: 60_000,
    min: 0,
    unit: 'ms',
    group: ERRORS,
    doc: 'The longest pause between two tries.',
  }),
  errorsTolerance: oneOf('errors.tolerance', ['none', 'all'], {
    default: 'none',
    group: ERRORS,
    doc: 'none: a record that cannot be processed fails the task. all: it is skipped and reported.',
  }),
  errorsLogEnable: boolean('errors.log.enable', {
    default: false,
    group: ERRORS,
    doc: 'Whether records that were skipped are written to the log of the worker.',
  }),
  errorsLogIncludeMessages: boolean('errors.log.include.messages', {
    default: false,
    group: ERRORS,
    doc: 'Whether these log lines name topic, partition, offset and timestamp of the record.',
  }),
} as const

/** Further keys of source connectors. */
export const sourceConnectorConfig = {
  exactlyOnceSupport: oneOf('exactly.once.support', ['requested', 'required'], {
    default: 'requested',
    ignoreCase: true,
    group: 'Exactly Once Support',
    doc: 'requested: at least once is enough.',
    check: (value) =>
      value === 'required' ? 'requested: this worker delivers at least once' : null,
  }),
  transactionBoundary: oneOf('transaction.boundary', ['poll', 'interval', 'connector'], {
    default: 'poll',
    ignoreCase: true,
    group: 'Exactly Once Support',
    doc: 'Where a transaction of exactly-once delivery is committed.',
  }),
  transactionBoundaryIntervalMs: long('transaction.boundary.interval.ms', {
    default: null,
    min: 0,
    unit: 'ms',
    importance: 'LOW',
    group: 'Exactly Once Support',
    doc: 'How often a transaction is committed if transaction.boundary is interval. Accepted and not used.',
  }),
  offsetsStorageTopic: string('offsets.storage.topic', {
    default: null,
    importance: 'LOW',
    group: 'Offsets Topic',
    doc: "An offsets topic of the connector's own. Accepted; offsets are kept in the worker's topic.",
  }),
  topicCreationGroups: list('topic.creation.groups', {
    default: [],
    importance: 'LOW',
    group: 'Topic Creation',
    doc: 'Aliases of groups of topics that are created with settings of their own.',
    check: (groups) => (hasDuplicates(groups) ? 'groups that differ from each other' : null),
  }),
  defaultPartitions: int('topic.creation.default.partitions', {
    default: -1,
    min: -1,
    importance: 'LOW',
    group: 'Topic Creation',
    doc: "Partitions of topics that the worker creates; -1 is the broker's default.",
    check: (value) => (value === 0 ? 'at least 1, or -1' : null),
  }),
  defaultReplicationFactor: short('topic.creation.default.replication.factor', {
    default: -1,
    min: -1,
    importance: 'LOW',
    group: 'Topic Creation',
    doc: "Replicas of topics that the worker creates; -1 is the broker's default.",
    check: (value) => (value === 0 ? 'at least 1, or -1' : null),
  }),
} as const

/** Further keys of sink connectors. */
export const sinkConnectorConfig = {
  topics: list('topics', {
    default: [],
    importance: 'HIGH',
    group: COMMON,
    doc: 'Topics to read. Exactly one of topics and topics.regex is required.',
  }),
  topicsRegex: string('topics.regex', {
    default: '',
    importance: 'HIGH',
    group: COMMON,
    doc: 'Regular expression for whole names of topics to read.',
    check: (value) => (isRegularExpression(value) ? null : 'a valid regular expression'),
  }),
  deadLetterTopic: string('errors.deadletterqueue.topic.name', {
    default: '',
    group: ERRORS,
    doc: 'Topic for records that were skipped, as they were read; none if empty.',
  }),
  deadLetterReplicationFactor: short('errors.deadletterqueue.topic.replication.factor', {
    default: 3,
    min: -1,
    group: ERRORS,
    doc: 'Replicas of that topic if the worker creates it.',
  }),
  deadLetterContextHeaders: boolean('errors.deadletterqueue.context.headers.enable', {
    default: false,
    group: ERRORS,
    doc: 'Whether records in that topic carry headers that tell where and why they failed.',
  }),
} as const

/** Checks of the sink keys together. */
export function topicsProblem(topics: readonly string[], regex: string): string | null {
  const hasTopics = topics.some((topic) => topic !== '')
  const hasRegex = regex.trim() !== ''
  if (hasTopics && hasRegex) return 'topics or topics.regex, not both'
  return hasTopics || hasRegex ? null : 'topics or topics.regex'
}

/** The properties that begin with a prefix, without it. */
export function withPrefix<V>(
  properties: Readonly<Record<string, V>>,
  prefix: string,
): Record<string, V> {
  const found: Record<string, V> = {}
  for (const key of Object.keys(properties)) {
    if (key.startsWith(prefix)) found[key.slice(prefix.length)] = properties[key]
  }
  return found
}

function pluginVersion<const N extends string>(name: N, importance: Importance) {
  return string(name, {
    default: null,
    importance,
    group: COMMON,
    doc: 'Version of the plugin. Only one version is installed, so this is accepted and not used.',
  })
}

function hasDuplicates(names: readonly string[]): boolean {
  return new Set(names).size < names.length
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}

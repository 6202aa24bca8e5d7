import {
  string,
  type ConfigDefinition,
  type ConfigOf,
  type ConnectRecord,
} from '@millrace/connect-api'
import { compileJavaRegex } from '@millrace/transforms'

export type Predicate = (record: ConnectRecord) => boolean

export interface PredicatePlugin<D extends ConfigDefinition = ConfigDefinition> {
  readonly name: string
  readonly classNames: readonly string[]
  readonly version: string
  readonly doc: string
  readonly options: D
  readonly create: (config: ConfigOf<D>) => Predicate
}

// Predicates of different options share a list.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyPredicate = PredicatePlugin<any>

const VERSION = '0.1.0'
const PACKAGE = 'org.apache.kafka.connect.transforms.predicates'

const topicNameMatches: AnyPredicate = predicate({
  name: 'topic-name-matches',
  classNames: [`${PACKAGE}.TopicNameMatches`],
  version: VERSION,
  doc: 'Holds for records whose whole topic name matches a regular expression.',
  options: {
    pattern: string('pattern', {
      importance: 'MEDIUM',
      doc: 'Regular expression for the whole topic name.',
      check: (value) => (compilePattern(value) === null ? 'a valid regular expression' : null),
    }),
  },
  create: ({ pattern }) => {
    const expression = compilePattern(pattern)!
    return (record) => expression.test(record.topic)
  },
})

const hasHeaderKey: AnyPredicate = predicate({
  name: 'has-header-key',
  classNames: [`${PACKAGE}.HasHeaderKey`],
  version: VERSION,
  doc: 'Holds for records with at least one header of the given name.',
  options: {
    name: string('name', {
      importance: 'MEDIUM',
      doc: 'The header name.',
      check: (value) => (value === '' ? 'a name that is not empty' : null),
    }),
  },
  create:
    ({ name }) =>
    (record) =>
      record.headers.some((header) => header.key === name),
})

const recordIsTombstone: AnyPredicate = predicate({
  name: 'record-is-tombstone',
  classNames: [`${PACKAGE}.RecordIsTombstone`],
  version: VERSION,
  doc: 'Holds for records whose value is null.',
  options: {},
  create: () => (record) => record.value === null || record.value === undefined,
})

/** Every predicate there is. */
export const predicates: readonly AnyPredicate[] = [
  topicNameMatches,
  hasHeaderKey,
  recordIsTombstone,
]

function predicate<const D extends ConfigDefinition>(
  plugin: PredicatePlugin<D>,
): PredicatePlugin<D> {
  return plugin
}

function compilePattern(pattern: string): RegExp | null {
  try {
    return compileJavaRegex(pattern)
  } catch {
    return null
  }
}

import { boolean, className, type ConfigProblem, list, long, string } from '@millrace/connect-api'
import { PARTITIONER } from './partitioner'
import { parsePathFormat } from './path-format'
import { parseTimeZone } from './time-zone'
import { createTimestampExtractor } from './timestamp-extractor'

const CLASSES: readonly string[] = Object.values(PARTITIONER)

export const partitionerOptions = {
  partitionerClass: className('partitioner.class', {
    default: PARTITIONER.default,
    importance: 'HIGH',
    group: 'Partitioner',
    doc: 'How records are spread over folders: by topic partition, the values of fields, or time.',
    check: (name) => (CLASSES.includes(name) ? null : `one of ${CLASSES.join(', ')}`),
  }),
  partitionFields: list('partition.field.name', {
    default: [],
    importance: 'MEDIUM',
    group: 'Partitioner',
    doc: 'Fields of the value that make the folders of the FieldPartitioner; a dot leads into a struct.',
  }),
  isFieldNameInPath: boolean('partition.field.format.path', {
    default: true,
    importance: 'LOW',
    group: 'Partitioner',
    doc: 'Whether the FieldPartitioner writes field=value or the value alone.',
  }),
  partitionDurationMs: long('partition.duration.ms', {
    default: -1,
    unit: 'ms',
    importance: 'MEDIUM',
    group: 'Partitioner',
    doc: 'Length of time that shares a folder of the TimeBasedPartitioner.',
  }),
  pathFormat: string('path.format', {
    default: '',
    importance: 'MEDIUM',
    group: 'Partitioner',
    doc: "Folders of the TimeBasedPartitioner, a date pattern with the letters y M d H m s: 'year'=YYYY/'month'=MM.",
    check: (pattern) =>
      parsePathFormat(pattern) === null
        ? 'a date pattern with the letters y Y M d H m s and text in single quotes'
        : null,
  }),
  locale: string('locale', {
    default: '',
    importance: 'MEDIUM',
    group: 'Partitioner',
    doc: 'Has no effect: folders have no names of months or days.',
  }),
  timeZone: string('timezone', {
    default: 'UTC',
    importance: 'MEDIUM',
    group: 'Partitioner',
    doc: 'Time zone of the folders of the time-based partitioners.',
    check: (name) =>
      name === '' || parseTimeZone(name) !== null ? null : 'a time zone such as Europe/Berlin',
  }),
  timestampExtractor: string('timestamp.extractor', {
    default: 'Wallclock',
    importance: 'MEDIUM',
    group: 'Partitioner',
    doc: 'The time of a record: Wallclock, Record (its timestamp) or RecordField.',
    check: (name) =>
      createTimestampExtractor(name, '') === null ? 'Wallclock, Record or RecordField' : null,
  }),
  timestampField: string('timestamp.field', {
    default: 'timestamp',
    importance: 'MEDIUM',
    group: 'Partitioner',
    doc: 'Field of the value with the time for RecordField: milliseconds, ISO 8601 text or a Timestamp.',
  }),
} as const

/** What `validatePartitioner` looks at. */
export interface PartitionerConfig {
  readonly partitionerClass: string
  readonly partitionFields: readonly string[]
  readonly partitionDurationMs: number
  readonly pathFormat: string
}

/** What no single option can tell. */
export function validatePartitioner(config: PartitionerConfig): readonly ConfigProblem[] {
  const missing = (key: string, expected: string) => ({ key, given: null, expected })
  const problems: ConfigProblem[] = []
  if (config.partitionerClass === PARTITIONER.field && config.partitionFields.length === 0)
    problems.push(missing('partition.field.name', 'the fields for the FieldPartitioner'))
  if (config.partitionerClass === PARTITIONER.time) {
    if (config.pathFormat === '')
      problems.push(missing('path.format', 'the folders of the TimeBasedPartitioner'))
    if (config.partitionDurationMs <= 0)
      problems.push(missing('partition.duration.ms', 'more than 0 for the TimeBasedPartitioner'))
  }
  return problems
}

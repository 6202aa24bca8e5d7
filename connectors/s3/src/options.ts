import {
  boolean,
  className,
  type ConfigOf,
  type ConfigProblem,
  int,
  long,
  oneOf,
  password,
  string,
} from '@millrace/connect-api'
import { partitionerOptions, validatePartitioner } from './partitioners/options'

const JSON_FORMAT = 'io.confluent.connect.s3.format.json.JsonFormat'
const S3_STORAGE = 'io.confluent.connect.s3.storage.S3Storage'
/** S3 takes no smaller part, except the last one of an object. */
export const MIN_PART_BYTES = 5 * 1024 * 1024
const MAX_PART_BYTES = 2 ** 31 - 1

/** Keys and defaults are those of Confluent's S3 sink. */
export const options = {
  bucket: string('s3.bucket.name', {
    importance: 'HIGH',
    group: 'S3',
    doc: 'The bucket to write to.',
  }),
  region: string('s3.region', {
    default: 'us-west-2',
    importance: 'MEDIUM',
    group: 'S3',
    doc: 'The region of the bucket.',
  }),
  storeUrl: string('store.url', {
    default: null,
    importance: 'LOW',
    group: 'Storage',
    doc: 'Endpoint of an S3-compatible server, or file:///folder to write into a folder.',
    check: (url) =>
      URL.canParse(url) && /^(https?|file):/.test(url) ? null : 'an http, https or file URL',
  }),
  storageClass: className('storage.class', {
    default: S3_STORAGE,
    importance: 'HIGH',
    group: 'Storage',
    doc: 'Where objects go; there is one class.',
    check: (name) => (name === S3_STORAGE ? null : S3_STORAGE),
  }),
  formatClass: className('format.class', {
    default: JSON_FORMAT,
    importance: 'HIGH',
    group: 'Connector',
    doc: 'Format of the objects.',
    check: (name) => (name === JSON_FORMAT ? null : JSON_FORMAT),
  }),
  topicsDir: string('topics.dir', {
    default: 'topics',
    importance: 'HIGH',
    group: 'Storage',
    doc: 'Top-level folder of all objects.',
  }),
  directoryDelim: string('directory.delim', {
    default: '/',
    importance: 'MEDIUM',
    group: 'Storage',
    doc: 'Separator of folders in object keys.',
  }),
  fileDelim: string('file.delim', {
    default: '+',
    importance: 'MEDIUM',
    group: 'Storage',
    doc: 'Separator within the last part of object keys.',
  }),
  offsetPadWidth: int('filename.offset.zero.pad.width', {
    default: 10,
    min: 0,
    importance: 'LOW',
    group: 'Connector',
    doc: 'Digits of the offset in object keys.',
  }),
  flushSize: int('flush.size', {
    min: 1,
    importance: 'HIGH',
    group: 'Connector',
    doc: 'Records of a topic partition after which its open objects are complete.',
  }),
  rotateIntervalMs: long('rotate.interval.ms', {
    default: -1,
    unit: 'ms',
    importance: 'HIGH',
    group: 'Connector',
    doc: 'Longest span of record timestamps before the open objects of a topic partition are complete; -1 for no limit.',
  }),
  rotateScheduleIntervalMs: long('rotate.schedule.interval.ms', {
    default: -1,
    unit: 'ms',
    importance: 'MEDIUM',
    group: 'Connector',
    doc: 'Close all objects at multiples of this wall-clock interval; -1 for never. Objects then differ after a crash, so records may be in two.',
  }),
  ...partitionerOptions,
  partBytes: int('s3.part.size', {
    default: 26_214_400,
    min: MIN_PART_BYTES,
    max: MAX_PART_BYTES,
    unit: 'bytes',
    importance: 'HIGH',
    group: 'S3',
    doc: 'An object larger than this is uploaded in parts of this size.',
  }),
  partRetries: int('s3.part.retries', {
    default: 3,
    min: 0,
    importance: 'MEDIUM',
    group: 'S3',
    doc: 'Retries of one request before the task backs off.',
  }),
  compressionType: oneOf('s3.compression.type', ['none', 'gzip'], {
    default: 'none',
    ignoreCase: true,
    importance: 'LOW',
    group: 'S3',
    doc: 'Compression of the objects.',
  }),
  compressionLevel: int('s3.compression.level', {
    default: -1,
    min: -1,
    max: 9,
    importance: 'LOW',
    group: 'S3',
    doc: 'Level of gzip; -1 for its default.',
  }),
  accessKeyId: string('aws.access.key.id', {
    default: null,
    importance: 'HIGH',
    group: 'S3',
    doc: 'Access key; without one the AWS default chain is asked.',
  }),
  secretAccessKey: password('aws.secret.access.key', {
    default: null,
    importance: 'HIGH',
    group: 'S3',
    doc: 'Secret of the access key.',
  }),
  isPathStyle: boolean('s3.path.style.access.enabled', {
    default: true,
    importance: 'LOW',
    group: 'S3',
    doc: 'Put the bucket into the path instead of the host name.',
  }),
  sseName: string('s3.ssea.name', {
    default: '',
    importance: 'LOW',
    group: 'S3',
    doc: 'Server-side encryption, AES256 or aws:kms.',
  }),
  sseKmsKeyId: string('s3.sse.kms.key.id', {
    default: '',
    importance: 'LOW',
    group: 'S3',
    doc: 'Key of aws:kms.',
  }),
  aclCanned: string('s3.acl.canned', {
    default: null,
    importance: 'LOW',
    group: 'S3',
    doc: 'Canned ACL of new objects.',
  }),
  nullValues: oneOf('behavior.on.null.values', ['fail', 'ignore', 'write'], {
    default: 'fail',
    ignoreCase: true,
    importance: 'LOW',
    group: 'Connector',
    doc: 'What a record without a value (a tombstone) does: fail, be left out, or be written as null.',
  }),
  decimalFormat: oneOf('json.decimal.format', ['BASE64', 'NUMERIC'], {
    default: 'BASE64',
    ignoreCase: true,
    importance: 'MEDIUM',
    group: 'Connector',
    doc: 'How Decimal values stand in JSON.',
  }),
} as const
export type S3Config = ConfigOf<typeof options>

/** What no single option can tell. */
export function validate(config: S3Config): readonly ConfigProblem[] {
  const problems = [...validatePartitioner(config)]
  if ((config.accessKeyId === null) !== (config.secretAccessKey === null)) {
    const missing = config.accessKeyId === null ? 'aws.access.key.id' : 'aws.secret.access.key'
    problems.push({
      key: missing,
      given: null,
      expected: 'both the access key and its secret, or neither',
    })
  }
  return problems
}

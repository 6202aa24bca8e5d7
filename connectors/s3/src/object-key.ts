import { RecordError } from '@millrace/connect-api'

export interface ObjectKeyOptions {
  readonly topicsDir: string
  readonly directoryDelim: string
  readonly fileDelim: string
  readonly offsetPadWidth: number
}

export interface ObjectKeyParts {
  readonly topic: string
  /** The folder that the partitioner chose: `partition=0`, `country=de/city=ulm`. */
  readonly encodedPartition: string
  /** Where the first record was read. A transform may send several topics into one folder; their objects must not meet. */
  readonly originalTopic: string
  readonly originalPartition: number
  readonly startOffset: number
  /** With the dot: `.json.gz`. */
  readonly extension: string
}

/** S3 takes no longer key. */
const KEY_BYTES_MAX = 1024

/**
 * `topics/orders/partition=0/orders+0+0000000042.json`, as Confluent's sink names its objects.
 * @throws RecordError if the record's fields make it longer than S3 takes
 */
export function objectKey(options: ObjectKeyOptions, parts: ObjectKeyParts): string {
  const { directoryDelim, fileDelim } = options
  const offset = String(parts.startOffset).padStart(options.offsetPadWidth, '0')
  const name = [parts.originalTopic, parts.originalPartition, offset].join(fileDelim)
  const folders = [options.topicsDir, parts.topic, parts.encodedPartition, name + parts.extension]
  const key = folders.filter((folder) => folder !== '').join(directoryDelim)
  const bytes = Buffer.byteLength(key)
  if (bytes > KEY_BYTES_MAX)
    throw new RecordError(`the object key would have ${bytes} bytes, more than ${KEY_BYTES_MAX}`)
  return key
}

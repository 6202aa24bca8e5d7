export interface ObjectKeyOptions {
  readonly topicsDir: string
  readonly directoryDelim: string
  readonly fileDelim: string
  readonly offsetPadWidth: number
}

export interface ObjectKeyParts {
  readonly topic: string
  readonly partition: number
  /** The folder that the partitioner chose: `partition=0`, `country=de/city=ulm`. */
  readonly encodedPartition: string
  readonly startOffset: number
  /** With the dot: `.json.gz`. */
  readonly extension: string
}

/** `topics/orders/partition=0/orders+0+0000000042.json`, as Confluent's sink names its objects. */
export function objectKey(options: ObjectKeyOptions, parts: ObjectKeyParts): string {
  const { directoryDelim, fileDelim } = options
  const offset = String(parts.startOffset).padStart(options.offsetPadWidth, '0')
  const name = [parts.topic, parts.partition, offset].join(fileDelim)
  const folders = [options.topicsDir, parts.topic, parts.encodedPartition, name + parts.extension]
  return folders.filter((folder) => folder !== '').join(directoryDelim)
}

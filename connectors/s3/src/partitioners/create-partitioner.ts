import { ConfigurationError } from '@millrace/connect-api'
import type { S3Config } from '../options'
import { fieldPartitioner } from './field-partitioner'
import { PARTITIONER, type Partitioner } from './partitioner'
import { parsePathFormat } from './path-format'
import { timePartitioner } from './time-partitioner'
import { parseTimeZone } from './time-zone'
import { createTimestampExtractor } from './timestamp-extractor'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const DAILY_FOLDERS = ["'year'=YYYY", "'month'=MM", "'day'=dd"]
const HOURLY_FOLDERS = [...DAILY_FOLDERS, "'hour'=HH"]

/** The partitioner that the options ask for. @throws ConfigurationError if they were not validated */
export function createPartitioner(config: S3Config): Partitioner {
  const { directoryDelim, pathFormat, partitionDurationMs } = config
  switch (config.partitionerClass) {
    case PARTITIONER.field:
      return fieldPartitioner(config)
    case PARTITIONER.time:
      return byTime(config, pathFormat, partitionDurationMs)
    case PARTITIONER.daily:
      return byTime(config, DAILY_FOLDERS.join(directoryDelim), DAY_MS)
    case PARTITIONER.hourly:
      return byTime(config, HOURLY_FOLDERS.join(directoryDelim), HOUR_MS)
    default:
      return (record) => `partition=${record.partition}`
  }
}

function byTime(config: S3Config, pathFormat: string, durationMs: number): Partitioner {
  const extract = createTimestampExtractor(config.timestampExtractor, config.timestampField)
  const toLocal = parseTimeZone(config.timeZone || 'UTC')
  const format = parsePathFormat(pathFormat)
  if (extract === null || toLocal === null || format === null || durationMs <= 0)
    throw new ConfigurationError('the options of the time-based partitioner are not valid')
  return timePartitioner({ extract, toLocal, format, durationMs })
}

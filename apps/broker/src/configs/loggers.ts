import { ErrorCode } from '@millrace/wire'
import type { LogLevels, LogThreshold } from '@millrace/telemetry'
import { ConfigSource, type ConfigEntry } from './describe'
import type { ConfigChange } from './change'
import { DONE, refusal, type ConfigOutcome } from './resources'

const ROOT = 'root'
const LEVELS = ['DEBUG', 'ERROR', 'FATAL', 'INFO', 'TRACE', 'WARN']

/** The loggers of this broker with their levels, as DescribeConfigs tells them. */
export function describeLoggers(levels: LogLevels): ConfigEntry[] {
  const loggers: [string, LogThreshold][] = [[ROOT, levels.root], ...levels.named()]
  return loggers.map(([name, level]) => ({
    name,
    value: level.toUpperCase(),
    readOnly: false,
    configSource: ConfigSource.DYNAMIC_BROKER_LOGGER,
    isSensitive: false,
    synonyms: [],
    configType: 0,
    documentation: null,
  }))
}

/** Sets levels until the next start: they are kept nowhere. All of them or none. */
export function alterLoggers(
  levels: LogLevels,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
): ConfigOutcome {
  for (const change of changes) {
    const refused = refusalOf(change, levels)
    if (refused) return refused
  }
  if (validateOnly) return DONE
  for (const { name, operation, value } of changes) {
    const level = operation === 'delete' ? null : ((value ?? '').toLowerCase() as LogThreshold)
    if (name !== ROOT) levels.set(name, level)
    else if (level !== null) levels.root = level
  }
  return DONE
}

function refusalOf(change: ConfigChange, levels: LogLevels): ConfigOutcome | null {
  const { name, operation, value } = change
  if (operation !== 'set' && operation !== 'delete')
    return refusal(ErrorCode.INVALID_REQUEST, `${operation} is not for log levels`)
  if (name !== ROOT && !levels.has(name))
    return refusal(ErrorCode.INVALID_CONFIG, `there is no logger ${name}`)
  if (operation === 'delete')
    return name === ROOT
      ? refusal(ErrorCode.INVALID_REQUEST, 'the level of the root logger cannot be removed')
      : null
  return LEVELS.includes(value ?? '')
    ? null
    : refusal(
        ErrorCode.INVALID_CONFIG,
        `${name}=${value} is not valid: one of ${LEVELS.join(', ')}`,
      )
}

export { LogLevels, type LogThreshold } from './log-levels'
export {
  createLogger,
  silentLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
} from './logger'

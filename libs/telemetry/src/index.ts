export { Latencies } from './latencies'
export { LogLevels, type LogThreshold } from './log-levels'
export {
  createLogger,
  silentLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
} from './logger'
export { Metrics, type MetricFamily, type Sample } from './metrics'

/** Standalone start, as `nest start admin` does it: `node dist/main.js [bootstrap servers] [Connect URL] [port]`. */
import { createLogger } from '@millrace/telemetry'
import { startAdmin } from './start-admin'

const [bootstrap = '127.0.0.1:9092', connectUrl = 'http://127.0.0.1:8083', port = '8080'] =
  process.argv.slice(2)
const logger = createLogger({
  level: 'info',
  write: (line) => process.stderr.write(`${line}\n`),
  now: () => Date.now(),
})

startAdmin({
  bootstrapServers: bootstrap.split(','),
  connectUrl,
  host: '127.0.0.1',
  port: Number(port),
  logger,
}).then(
  ({ address }) => logger.info('admin started', { address }),
  (error: unknown) => {
    logger.error('admin not started', { error })
    process.exitCode = 1
  },
)

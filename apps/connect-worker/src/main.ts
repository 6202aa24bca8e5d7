import { formatTrace } from '@millrace/connect-runtime'
import { createLogger } from '@millrace/telemetry'
import { readWorkerProperties } from './config'
import { startWorker } from './worker-app'

/** `node dist/main.js worker.properties`: one worker as a process of its own. */
async function main(): Promise<void> {
  const path = process.argv[2]
  if (path === undefined) throw new Error('usage: main.js <worker.properties>')
  const logger = createLogger({
    level: 'info',
    write: (line) => process.stderr.write(`${line}\n`),
    now: Date.now,
  })
  const worker = await startWorker({ properties: readWorkerProperties(path), logger })
  process.stdout.write(`ready ${worker.restAddress}\n`)
  const stop = () => {
    worker.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error('the worker did not stop cleanly', { error })
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

main().catch((error: unknown) => {
  process.stderr.write(`${formatTrace(error)}\n`)
  process.exit(1)
})

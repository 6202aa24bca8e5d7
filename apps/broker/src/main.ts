/** Standalone start, as `nest start broker` does it: `node dist/main.js [server.properties]`. */
import { readFileSync } from 'node:fs'
import { errorMessage, type PlatformError } from '@millrace/base'
import { parsePropertiesFile } from '@millrace/config'
import { createLogger } from '@millrace/telemetry'
import { startBroker } from './start-broker'

const logger = createLogger({
  level: 'info',
  write: (line) => process.stderr.write(`${line}\n`),
  now: () => Date.now(),
})

async function main(): Promise<void> {
  const [file] = process.argv.slice(2)
  const properties = file === undefined ? {} : parsePropertiesFile(readFileSync(file, 'utf8'))
  const broker = await startBroker({ properties, logger, onFatal: () => process.exit(1) })
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      broker.close().catch((error: unknown) => {
        logger.error('broker not stopped cleanly', { error })
        process.exitCode = 1
      })
    })
}

main().catch((error: unknown) => {
  const { todo } = error as Partial<PlatformError>
  process.stderr.write(`${errorMessage(error)}${todo ? `; ${todo}` : ''}\n`)
  process.exitCode = 1
})

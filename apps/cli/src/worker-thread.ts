/** Entry point of the thread that runs the Connect worker beside the broker. */
import { parentPort } from 'node:worker_threads'
import { errorMessage, invariant, PlatformError } from '@millrace/base'
import { type RunningWorker, startWorker } from '@millrace/connect-worker'
import { programLogger } from './logging'
import type { HostMessage, ThreadMessage, WorkerStart } from './worker-host'

invariant(parentPort !== null, 'worker-thread.ts runs in a worker thread only')
const host = parentPort
let running: RunningWorker | null = null

host.on('message', (message: HostMessage) => {
  if (message.type === 'start') void start(message)
  else void close()
})

async function start({ properties, logLevel }: WorkerStart): Promise<void> {
  try {
    running = await startWorker({
      properties,
      logger: programLogger(logLevel).child({ role: 'worker' }),
    })
    tell({ type: 'ready', restAddress: running.restAddress })
  } catch (error) {
    const todo = error instanceof PlatformError ? `; ${error.todo}` : ''
    tell({ type: 'failed', reason: errorMessage(error) + todo })
    process.exit(1)
  }
}

async function close(): Promise<void> {
  await running?.close()
  tell({ type: 'closed' })
  process.exit(0)
}

function tell(message: ThreadMessage): void {
  host.postMessage(message)
}

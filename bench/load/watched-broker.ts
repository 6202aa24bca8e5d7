/** A broker that watches its own event loop. Driven by its parent over the IPC channel: `watch`, then `report`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { startBroker } from '@millrace/broker'
import { createLogger } from '@millrace/telemetry'
import type { WatchedMessage } from './scale-options.ts'

const RESOLUTION_MS = 5

const directory = mkdtempSync(join(tmpdir(), 'millrace-scale-'))
const logger = createLogger({ level: 'warn', write: (line) => console.error(line), now: Date.now })
const broker = await startBroker({
  properties: {
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'log.dirs': directory,
    'group.initial.rebalance.delay.ms': '0',
    'socket.listen.backlog.size': '1000',
    'log.ack.after.flush': String(process.argv[2] !== 'page-cache'),
  },
  logger,
})
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

process.on('message', (message: string) => {
  if (message === 'watch') {
    delay.enable()
    return delay.reset()
  }
  delay.disable()
  tell({
    type: 'stalls',
    stallMs: {
      p50: beyondTimer(delay.percentile(50)),
      p99: beyondTimer(delay.percentile(99)),
      max: beyondTimer(delay.max),
    },
  })
})
process.once('SIGTERM', () => {
  rmSync(directory, { recursive: true, force: true })
  process.exit()
})
tell({ type: 'ready', port: broker.addresses[0].port })

/** The histogram has the whole time between two runs of its timer, in nanoseconds. */
function beyondTimer(ns: number): number {
  return Math.max(0, Math.round((ns / 1e6 - RESOLUTION_MS) * 10) / 10)
}

function tell(message: WatchedMessage): void {
  process.send!(message)
}

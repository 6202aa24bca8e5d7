/**
 * Many of everything, none of it fast: whether the event loop stands still. So many partitions with a live producer each,
 * connections that do nothing, and groups that heartbeat and commit. Options: `--partitions N`, `--idle N`, `--groups N`,
 * `--batches-per-second N` (of each producer), `--seconds N`, `--mode durable|page-cache`, `--no-record`.
 * Connections cost a file descriptor on both sides: see `ulimit -n`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createTopic } from '../test/compat/direct.ts'
import type { ScaleMessage, ScaleOptions, WatchedMessage } from './load/scale-options.ts'
import { residentMb } from './machine.ts'
import { writeResults } from './results.ts'

const BROKER_PROGRAM = join(import.meta.dirname, 'load', 'watched-broker.ts')
const LOAD_PROGRAM = join(import.meta.dirname, 'load', 'scale-load.ts')
/** As `millrace broker` runs: docs/adr/0012. */
const BROKER_FLAGS = ['--semi-space-growth-factor=1']
const TOPIC = 'bench-scale'

export async function scale(args: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      partitions: { type: 'string', default: '1000' },
      idle: { type: 'string', default: '10000' },
      groups: { type: 'string', default: '500' },
      'batches-per-second': { type: 'string', default: '5' },
      seconds: { type: 'string', default: '10' },
      mode: { type: 'string', default: 'durable' },
      'no-record': { type: 'boolean', default: false },
    },
  })
  const broker = start([...BROKER_FLAGS, BROKER_PROGRAM, options.mode])
  const load = start([LOAD_PROGRAM])
  try {
    const { port } = await hear<WatchedMessage, 'ready'>(broker, 'ready')
    const settings: ScaleOptions = {
      port,
      topic: TOPIC,
      partitions: Number(options.partitions),
      idleConnections: Number(options.idle),
      groups: Number(options.groups),
      batchesPerSecond: Number(options['batches-per-second']),
      measureMs: Number(options.seconds) * 1000,
    }
    await createTopic(`127.0.0.1:${port}`, TOPIC, settings.partitions)
    const emptyMb = residentMb(broker.pid!)
    load.send(settings)
    await hear<ScaleMessage, 'idle'>(load, 'idle')
    const idleMb = residentMb(broker.pid!)
    await hear<ScaleMessage, 'measuring'>(load, 'measuring')
    broker.send('watch')
    const { result } = await hear<ScaleMessage, 'done'>(load, 'done')
    broker.send('report')
    const { stallMs } = await hear<WatchedMessage, 'stalls'>(broker, 'stalls')
    const idleConnectionKb = ((idleMb - emptyMb) * 1024) / Math.max(1, settings.idleConnections)
    const report = {
      settings: { ...settings, port: undefined, mode: options.mode },
      ...result,
      stallMs,
      idleConnectionKb: Math.round(idleConnectionKb * 10) / 10,
      residentMb: residentMb(broker.pid!),
    }
    console.log(JSON.stringify(report, null, 2))
    if (!options['no-record']) writeResults('scale', report)
  } finally {
    load.kill()
    broker.kill()
  }
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function hear<Message extends { type: string }, Type extends Message['type']>(
  child: ChildProcess,
  type: Type,
): Promise<Extract<Message, { type: Type }>> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`${child.spawnfile} ended: ${code}`))
    const onMessage = (message: Message) => {
      if (message.type !== type) return
      child.off('exit', onExit).off('message', onMessage)
      resolve(message as Extract<Message, { type: Type }>)
    }
    child.on('exit', onExit).on('message', onMessage)
  })
}

/** Runs a load against a broker and says what came through and what it cost both sides. */
import { type ChildProcess, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { LoadMessage, LoadOptions, LoadResult } from './load/options.ts'
import { coresApart, type CpuShare, cpuShare, cpuTimes, pin, type Pinning } from './machine.ts'

const LOAD_PROGRAM = join(import.meta.dirname, 'load', 'main.ts')
/** A thread that is busy for this share of the time is what holds things up. */
const SATURATED_SHARE = 0.9

export interface Measurement {
  readonly mbPerS: number
  readonly recordsPerS: number
  readonly latencyMs: LoadResult['latencyMs']
  readonly cpu: { readonly broker: CpuShare; readonly client: CpuShare }
  readonly saturated: 'broker' | 'client' | 'both' | 'neither'
}

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws Error if the load process fails, with what it printed */
export async function measure(
  brokerPid: number,
  options: LoadOptions,
  cores = coresApart(),
): Promise<Measurement> {
  const child = spawn(process.execPath, [LOAD_PROGRAM], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    if (cores) {
      pin(child.pid!, cores.client)
      pin(brokerPid, cores.broker)
    }
    child.send(options)
    await nextMessage(child, 'measuring')
    const pids = [brokerPid, child.pid!]
    const before = pids.map(cpuTimes)
    const { result } = await nextMessage(child, 'done')
    const [brokerShare, clientShare] = pids.map((pid, i) => cpuShare(before[i], cpuTimes(pid)))
    return {
      mbPerS: Math.round(result.valueBytes / result.seconds / 1e5) / 10,
      recordsPerS: Math.round(result.records / result.seconds),
      latencyMs: result.latencyMs,
      cpu: { broker: brokerShare, client: clientShare },
      saturated: saturatedSide(brokerShare, clientShare, cores),
    }
  } finally {
    child.kill()
  }
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted.at(-1)! }
}

/** Neither: both wait, for the disk or for other processes of the machine. */
function saturatedSide(
  broker: CpuShare,
  client: CpuShare,
  cores: Pinning | null,
): Measurement['saturated'] {
  const isBroker = isSaturated(broker, cores?.broker.length ?? availableParallelism())
  const isClient = isSaturated(client, 1)
  if (isBroker) return isClient ? 'both' : 'broker'
  return isClient ? 'client' : 'neither'
}

function isSaturated({ main, process }: CpuShare, cores: number): boolean {
  return main >= SATURATED_SHARE || process >= SATURATED_SHARE * cores
}

function nextMessage<T extends LoadMessage['type']>(
  child: ChildProcess,
  type: T,
): Promise<Extract<LoadMessage, { type: T }>> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the load ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (message: LoadMessage) => {
      child.removeListener('exit', onExit)
      if (message.type === type) resolve(message as Extract<LoadMessage, { type: T }>)
      else reject(new Error(`the load said ${message.type} instead of ${type}`))
    })
  })
}

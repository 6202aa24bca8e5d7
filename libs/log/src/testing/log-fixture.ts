import type { Disk } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { BatchBuilder, RecordCursor, batch, type BatchFields } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { SimClock, SimDisk, SimRandom } from '@millrace/testing'
import { logConfigDefinition, type LogConfig } from '../config'
import type { Log } from '../log'
import { LogManager } from '../log-manager'
import { logManagerConfigDefinition, type LogManagerConfig } from '../manager-config'

/** For tests of this library only: logs on a simulated disk, small batches, and readers of them. */

export const DEFAULT_CONFIG = parseConfig(logConfigDefinition, {}).config
export const DEFAULT_MANAGER_CONFIG = parseConfig(logManagerConfigDefinition, {}).config
export const DIRECTORY = '/data'
export const TOPIC_ID = 'bHm1ZSy6R7iYR-VuT7Z0QQ'
export const NO_LIMIT = { maxBytes: 1 << 24, maxOffsetExclusive: Infinity, minOneBatch: true }
export const CLIENT = { leaderEpoch: 0, origin: 'client' } as const
export const START_MS = 1_700_000_000_000

export interface Harness {
  readonly disk: SimDisk
  readonly clock: SimClock
  readonly manager: LogManager
}

export async function openManager(
  options: {
    disk?: SimDisk
    clock?: SimClock
    config?: Partial<LogConfig>
    tailCacheBytes?: number
    directories?: readonly string[]
    managerConfig?: Partial<LogManagerConfig>
    onAllFailed?: () => void
  } = {},
): Promise<Harness> {
  const { disk = new SimDisk(), clock = new SimClock(START_MS), tailCacheBytes } = options
  const { directories = [DIRECTORY], managerConfig = {}, onAllFailed } = options
  const manager = await LogManager.open(
    { disk: disk as Disk, clock, logger: silentLogger, random: new SimRandom(7), onAllFailed },
    {
      directories,
      nodeId: 1,
      clusterId: 'cluster-a',
      configOf: () => ({ ...DEFAULT_CONFIG, ...options.config }),
      config: { ...DEFAULT_MANAGER_CONFIG, ...managerConfig },
      tailCacheBytes,
    },
  )
  return { disk, clock, manager }
}

/** The log `orders-0`, opened or created. */
export async function openLog(
  options: Parameters<typeof openManager>[0] = {},
): Promise<Harness & { log: Log }> {
  const harness = await openManager(options)
  const config = { ...DEFAULT_CONFIG, ...options.config }
  const log =
    harness.manager.log('orders', 0) ??
    (await harness.manager.createLog({ topic: 'orders', partition: 0, topicId: TOPIC_ID, config }))
  return { ...harness, log }
}

/** The log as the next start finds it after a power loss. */
export async function crashAndReopen(
  harness: Harness,
  options: { seed?: number; config?: Partial<LogConfig>; tailCacheBytes?: number } = {},
): Promise<Harness & { log: Log }> {
  const disk = harness.disk.crash(new SimRandom(options.seed ?? 1))
  return openLog({ ...options, disk, clock: harness.clock })
}

export interface BatchSpec extends BatchFields {
  readonly values?: readonly string[]
  readonly key?: string | null
  readonly timestamps?: readonly number[]
}

export function aBatch(spec: BatchSpec = {}): Buffer {
  const { values = ['v'], key = 'k', timestamps, ...fields } = spec
  const builder = new BatchBuilder()
  values.forEach((value, index) => {
    const timestamp = timestamps?.[index] ?? START_MS
    builder.append(timestamp, key === null ? null : Buffer.from(key), Buffer.from(value))
  })
  return builder.build(fields)
}

/** Offset and value of every record in whole batches. */
export function recordsOf(records: Buffer): [offset: number, value: string][] {
  const found: [number, string][] = []
  const cursor = new RecordCursor()
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
    for (cursor.open(records, at); cursor.next(); ) {
      found.push([cursor.offset, String(cursor.value())])
    }
  }
  return found
}

/** All records from the log start to its end, read in portions of `maxBytes`. */
export function readAll(log: Log, maxBytes = 1 << 20): [offset: number, value: string][] {
  const found: [number, string][] = []
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const { records } = log.read(offset, { ...NO_LIMIT, maxBytes })
    const part = recordsOf(records)
    if (part.length === 0) throw new Error(`nothing is read at ${offset}`)
    found.push(...part.filter(([at]) => at >= offset))
    offset = part[part.length - 1][0] + 1
  }
  return found
}

export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

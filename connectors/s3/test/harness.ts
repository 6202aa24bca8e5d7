import {
  NO_HEADERS,
  type Properties,
  parseConfig,
  SinkRecord,
  type SinkTaskContext,
  systemClock,
} from '@millrace/connect-api'
import { options } from '../src/options'
import type { ObjectStore } from '../src/store'
import { S3SinkTask } from '../src/task'

const nothing = () => undefined
export const T0 = { topic: 'orders', partition: 0 }

/** One task with what a worker would hold of it: the records it refused, how far it was given records. */
export interface TaskBed {
  readonly task: S3SinkTask
  nowMs: number
  readonly requestedPuts: number[]
  readonly reported: SinkRecord[]
  /** Gives records to the task; again until it takes them if `tries` allows. */
  readonly put: (records: readonly SinkRecord[], tries?: number) => Promise<void>
  /** The offset that the worker may commit. */
  readonly safeOffset: () => Promise<number | null>
  /** Resolves when an upload failed and the task asked to be called for it. @throws if that does not happen */
  readonly failsToStore: () => Promise<void>
  /** Resolves when that is the offset that the worker may commit. @throws if it does not become so */
  readonly reaches: (offset: number) => Promise<void>
}

export async function startTask(store: ObjectStore, properties: Properties): Promise<TaskBed> {
  const { config, problems } = parseConfig(options, {
    's3.bucket.name': 'bucket',
    'flush.size': '3',
    ...properties,
  })
  expect(problems).toEqual([])
  let deliveredOffset = 0
  const bed: Omit<TaskBed, 'task'> = {
    nowMs: 1_000_000,
    requestedPuts: [],
    reported: [],
    put: async (records, tries = 1) => {
      for (let triesLeft = tries; ; triesLeft -= 1) {
        try {
          await task.put(records)
          break
        } catch (error) {
          if (triesLeft <= 1) throw error
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      }
      const last = records.at(-1)
      if (last !== undefined) deliveredOffset = last.offset + 1
    },
    safeOffset: async () => {
      const [position] = await task.preCommit([{ ...T0, offset: deliveredOffset }])
      return position?.offset ?? null
    },
    failsToStore: async () => {
      await until(() => bed.requestedPuts.includes(0))
      expect(bed.requestedPuts).toContain(0)
    },
    reaches: async (offset) => {
      await until(async () => (await bed.safeOffset()) === offset)
      expect(await bed.safeOffset()).toBe(offset)
    },
  }
  const context: SinkTaskContext = {
    clock: { ...systemClock, now: () => bed.nowMs },
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    connectorName: 'c',
    taskId: 0,
    properties: {},
    assignment: () => [T0],
    rewind: nothing,
    pause: nothing,
    resume: nothing,
    requestPut: (delayMs) => void bed.requestedPuts.push(delayMs),
    requestCommit: nothing,
    reportError: async (record, error) => {
      if (properties['errors.tolerance'] !== 'all') throw error
      bed.reported.push(record)
    },
  }
  const task = new S3SinkTask(config, context, store)
  await task.start()
  await task.open([T0])
  return Object.assign(bed, { task })
}

export function someRecords(
  from: number,
  count: number,
  value: (offset: number) => unknown = (n) => ({ n }),
  topic = T0.topic,
): SinkRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const offset = from + index
    return new SinkRecord({
      topic,
      partition: 0,
      offset,
      timestamp: offset * 1000,
      timestampType: 'CreateTime',
      keySchema: null,
      key: null,
      valueSchema: null,
      value: value(offset),
      headers: NO_HEADERS,
      originalTopic: T0.topic,
      originalPartition: 0,
    })
  })
}

/** Resolves when it is true, or after a few seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500 && !(await isSo()); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
}

import type { Random } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { silentLogger } from '@millrace/telemetry'
import { SimClock } from '@millrace/testing'
import { groupConfigDefinition, type GroupOptions } from '../../src/config'
import { GroupCoordinator } from '../../src/group-coordinator'
import { MemoryLog } from './memory-log'
import { MemoryTopics } from './memory-topics'

const DEFAULTS = {
  'group.initial.rebalance.delay.ms': '3000',
  'offsets.topic.num.partitions': '1',
}

/** A coordinator of one partition on a clock and a log that the test holds. */
export interface GroupWorld {
  readonly clock: SimClock
  readonly log: MemoryLog
  readonly coordinator: GroupCoordinator
  readonly topics: MemoryTopics
  /** Configs of single groups. */
  readonly groupConfigs: Map<string, Record<string, string>>
  /** A new coordinator on the same log, as after a restart of the broker. */
  restart(): Promise<GroupWorld>
}

export async function aGroupWorld(properties: Record<string, string> = {}): Promise<GroupWorld> {
  const parts = {
    clock: new SimClock(),
    log: new MemoryLog(),
    topics: new MemoryTopics(),
    groupConfigs: new Map<string, Record<string, string>>(),
  }
  return openWorld(parts, groupOptions(properties))
}

export function groupOptions(properties: Record<string, string> = {}): GroupOptions {
  const { config, problems } = parseConfig(groupConfigDefinition, { ...DEFAULTS, ...properties })
  expect(problems).toEqual([])
  return config
}

async function openWorld(
  parts: Omit<GroupWorld, 'coordinator' | 'restart'>,
  options: GroupOptions,
): Promise<GroupWorld> {
  const deps = {
    ...parts,
    random: countingRandom(),
    logger: silentLogger,
    groupConfigs: (groupId: string) => parts.groupConfigs.get(groupId) ?? {},
  }
  const coordinator = new GroupCoordinator(deps, options)
  coordinator.start()
  await coordinator.onPartitionElected(0)
  const restart = () => {
    coordinator.stop()
    return openWorld(parts, options)
  }
  return { ...parts, coordinator, restart }
}

let counter = 0
/** Different on every call, so that member ids are unique. */
function countingRandom(): Random {
  return {
    int: () => 0,
    bytes(count) {
      const bytes = Buffer.alloc(count)
      bytes.writeUInt32BE(++counter, count - 4)
      return bytes
    },
  }
}

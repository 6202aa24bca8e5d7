/** The records that both workers have written for the script. */
import { deepStrictEqual } from 'node:assert'
import { describeTopic, readTopic, type TopicRecord } from '../worker-on-kafka/console.ts'
import type { Bed, BedSide } from './bed.ts'

/** Of these the script leaves the same traces on both sides. */
const CONNECTORS = ['copy', 'later', 'never', 'broken']
const CONFIG_KEYS = ['connector-', 'commit-', 'target-state-', 'task-', 'restart-connector-']

/** @throws AssertionError with what differs */
export async function compareInternalTopics(bed: Bed): Promise<void> {
  for (const topic of ['connect-configs', 'connect-offsets', 'connect-statuss']) {
    const describe = ({ kafka }: BedSide) => describeTopic(bed.home, kafka.bootstrap, topic)
    deepStrictEqual(await describe(bed.ours), await describe(bed.theirs), topic)
  }
  const read = async (side: BedSide, topic: string) =>
    generalised(await readTopic(bed.home, side.kafka.bootstrap, topic), side)
  const configs = async (side: BedSide) => configHistories(await read(side, 'connect-configs'))
  deepStrictEqual(await configs(bed.ours), await configs(bed.theirs))
  const offsets = async (side: BedSide) => lastOffsets(await read(side, 'connect-offsets'))
  deepStrictEqual(await offsets(bed.ours), await offsets(bed.theirs))
  const statuses = async (side: BedSide) => statusShapes(await read(side, 'connect-statuss'))
  deepStrictEqual(await statuses(bed.ours), await statuses(bed.theirs))
}

function generalised(records: readonly TopicRecord[], { directory }: BedSide): TopicRecord[] {
  const text = (value: string | null) => value?.replaceAll(directory, 'DIR') ?? null
  return records.map(({ partition, key, value }) => ({
    partition,
    key: text(key),
    value: text(value),
  }))
}

/**
 * All values of each key of the config topic, in order. They are compared byte for byte; only the properties of a
 * configuration are sorted, because Java's order of them is that of a hash table.
 */
function configHistories(records: readonly TopicRecord[]): Record<string, (string | null)[]> {
  const histories: Record<string, (string | null)[]> = {}
  for (const { key, value } of records) {
    const prefix = CONFIG_KEYS.find((candidate) => key!.startsWith(candidate))
    const rest = key!.slice(prefix?.length ?? 0)
    const isCompared = CONNECTORS.some((name) => rest === name || rest === `${name}-0`)
    const isSteered = key === 'target-state-lines' || key === 'restart-connector-lines'
    if (prefix === undefined || !(isCompared || isSteered)) continue
    ;(histories[key!] ??= []).push(value === null ? null : withSortedProperties(value))
  }
  return sorted(histories)
}

function withSortedProperties(value: string): string {
  const parsed = JSON.parse(value) as { properties?: Record<string, unknown> }
  if (parsed.properties === undefined) return value
  return JSON.stringify({ ...parsed, properties: sorted(parsed.properties) })
}

/** The bytes of key and value; the partition shows that the key was hashed the same. */
function lastOffsets(records: readonly TopicRecord[]): Record<string, string | null> {
  const last: Record<string, string | null> = {}
  for (const { key, value } of records) {
    if (key!.startsWith('["lines"')) last[key!] = value
  }
  return last
}

/** Keys, and the fields of their last values in order. */
function statusShapes(records: readonly TopicRecord[]): Record<string, string | null> {
  const last: Record<string, string | null> = {}
  for (const { key, value } of records) {
    if (!CONNECTORS.some((name) => key!.includes(`-${name}`))) continue
    last[key!] = value === null ? null : shapeOf(JSON.parse(value) as Record<string, unknown>)
  }
  return sorted(last)
}

function shapeOf(value: Record<string, unknown>): string {
  return Object.entries(value)
    .map(([field, content]) => (field === 'state' ? `state=${String(content)}` : field))
    .join()
}

function sorted<V>(record: Record<string, V>): Record<string, V> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

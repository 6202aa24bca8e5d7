import * as path from 'node:path'
import {
  errorCode,
  errorMessage,
  newUuid,
  ZERO_UUID,
  type DirectoryLock,
  type Disk,
  type Random,
} from '@millrace/base'
import { parsePropertiesFile } from '@millrace/config'
import { readOffsets, type PartitionOffsets } from './checkpoint-file'
import { logErrors } from './errors'

export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
export const START_OFFSET_FILE = 'log-start-offset-checkpoint'
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'
export const CLEANER_OFFSET_FILE = 'cleaner-offset-checkpoint'
const META_FILE = 'meta.properties'
const META_VERSION = '1'
const PARTITION_METADATA_FILE = 'partition.metadata'

interface DirectoryFilesDeps {
  readonly disk: Disk
  readonly random: Random
  /** Keeps other processes out, or null where that is done already. */
  readonly lock: ((directory: string) => DirectoryLock) | null
}

export interface LogDirectoryOptions {
  readonly path: string
  readonly nodeId: number
  readonly clusterId: string
}

/** What the last run left in a log directory, beside the logs. */
export interface OpenedDirectory {
  readonly lock: DirectoryLock | null
  readonly path: string
  readonly id: string
  /** It was closed properly the last time: no log needs a scan. */
  readonly wasClean: boolean
  readonly recoveryPoints: PartitionOffsets
  readonly startOffsets: PartitionOffsets
  readonly highWatermarks: PartitionOffsets
  /** How far logs were compacted; those that never were have no line. */
  readonly cleanedOffsets: PartitionOffsets
}

/**
 * Locks the directory, checks that it belongs to this node and reads its checkpoints.
 * @throws PlatformError LOG_DIRECTORY_LOCKED, LOG_DIRECTORY_UNWRITABLE, LOG_DIRECTORY_FOREIGN, LOG_CORRUPT_FILE
 */
export async function openDirectory(
  deps: DirectoryFilesDeps,
  options: LogDirectoryOptions,
): Promise<OpenedDirectory> {
  const lock = await takeDirectory(deps, options.path)
  try {
    return { lock, ...(await readDirectory(deps, options)) }
  } catch (error) {
    lock?.release()
    throw error
  }
}

/** The id of the topic that a partition's directory belongs to; zero if the directory does not say. */
export async function readTopicId(disk: Disk, directory: string): Promise<string> {
  const content = await disk.readFile(path.join(directory, PARTITION_METADATA_FILE))
  return /^topic_id: (\S+)$/m.exec(content?.toString() ?? '')?.[1] ?? ZERO_UUID
}

/** Makes a partition's directory, which durably says what topic it belongs to; its own name is not durable yet. */
export async function makePartitionDirectory(
  disk: Disk,
  directory: string,
  topicId: string,
): Promise<void> {
  await disk.makeDirectory(directory)
  const content = `version: 0\ntopic_id: ${topicId}`
  await disk.replaceFile(path.join(directory, PARTITION_METADATA_FILE), content)
}

async function takeDirectory(
  { disk, lock }: DirectoryFilesDeps,
  directory: string,
): Promise<DirectoryLock | null> {
  try {
    await disk.makeDirectory(directory)
    return lock?.(directory) ?? null
  } catch (cause) {
    if (errorCode(cause) === 'BASE_DIRECTORY_LOCKED') {
      throw logErrors.create('LOG_DIRECTORY_LOCKED', { directory }, { cause })
    }
    const params = { directory, reason: errorMessage(cause) }
    throw logErrors.create('LOG_DIRECTORY_UNWRITABLE', params, { cause })
  }
}

async function readDirectory(
  deps: DirectoryFilesDeps,
  options: LogDirectoryOptions,
): Promise<Omit<OpenedDirectory, 'lock'>> {
  const { disk } = deps
  const at = (name: string) => path.join(options.path, name)
  const id = await readIdentity(deps, options)
  return {
    path: options.path,
    id,
    wasClean: (await disk.readFile(at(CLEAN_SHUTDOWN_FILE))) !== null,
    recoveryPoints: await readOffsets(disk, at(RECOVERY_POINT_FILE)),
    startOffsets: await readOffsets(disk, at(START_OFFSET_FILE)),
    highWatermarks: await readOffsets(disk, at(HIGH_WATERMARK_FILE)),
    cleanedOffsets: await readOffsets(disk, at(CLEANER_OFFSET_FILE)),
  }
}

/** Reads or writes meta.properties. Another cluster's data must never be served or written to. */
async function readIdentity(
  { disk, random }: DirectoryFilesDeps,
  { path: directory, nodeId, clusterId }: LogDirectoryOptions,
): Promise<string> {
  const file = path.join(directory, META_FILE)
  const content = await disk.readFile(file)
  if (content === null) {
    const id = newUuid(random)
    const lines = [`cluster.id=${clusterId}`, `directory.id=${id}`, `node.id=${nodeId}`]
    await writeNew(disk, file, [...lines, `version=${META_VERSION}`, ''].join('\n'))
    return id
  }
  const found = parsePropertiesFile(content.toString())
  const expected = { version: META_VERSION, 'cluster.id': clusterId, 'node.id': String(nodeId) }
  for (const [property, value] of Object.entries(expected)) {
    if (found[property] === value) continue
    const params = { directory, property, found: found[property] ?? 'none', expected: value }
    throw logErrors.create('LOG_DIRECTORY_FOREIGN', params)
  }
  return found['directory.id'] ?? newUuid(random)
}

async function writeNew(disk: Disk, file: string, content: string): Promise<void> {
  try {
    await disk.replaceFile(file, content)
    await disk.syncDirectory(path.dirname(path.dirname(file)))
  } catch (cause) {
    const params = { directory: path.dirname(file), reason: errorMessage(cause) }
    throw logErrors.create('LOG_DIRECTORY_UNWRITABLE', params, { cause })
  }
}

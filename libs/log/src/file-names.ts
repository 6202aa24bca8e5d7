import { newUuid, type Random } from '@millrace/base'

const OFFSET_DIGITS = 20
/** The longest name that file systems take. */
const NAME_MAX_LENGTH = 255

export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TXN_INDEX_SUFFIX = '.txnindex'
export const SNAPSHOT_SUFFIX = '.snapshot'
export const DELETED_SUFFIX = '.deleted'
/** Behind a segment's names while compaction writes it, and while it takes the place of others. */
export const CLEANED_SUFFIX = '.cleaned'
export const SWAP_SUFFIX = '.swap'
export const DIRECTORY_DELETED_SUFFIX = '-delete'
export const DIRECTORY_FUTURE_SUFFIX = '-future'

/** `00000000000000000042.log` */
export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(OFFSET_DIGITS, '0') + suffix
}

/** The offset that a file of this kind is named after, or -1 if the name is another one. */
export function offsetOfFileName(name: string, suffix: string): number {
  if (name.length !== OFFSET_DIGITS + suffix.length || !name.endsWith(suffix)) return -1
  const digits = name.slice(0, OFFSET_DIGITS)
  return /^\d+$/.test(digits) ? Number(digits) : -1
}

/** `orders-3.<unique>-delete`; a topic's name may be so long that it must be cut for that. */
export function deletedDirectoryName(topic: string, partition: number, random: Random): string {
  const suffix = `-${partition}.${newUuid(random)}${DIRECTORY_DELETED_SUFFIX}`
  return topic.slice(0, NAME_MAX_LENGTH - suffix.length) + suffix
}

/** `orders-3.<unique>-future`: where a log is copied to that moves to another log directory. */
export function futureDirectoryName(topic: string, partition: number, random: Random): string {
  const suffix = `-${partition}.${newUuid(random)}${DIRECTORY_FUTURE_SUFFIX}`
  return topic.slice(0, NAME_MAX_LENGTH - suffix.length) + suffix
}

export interface PartitionName {
  readonly topic: string
  readonly partition: number
}

export function parseFutureDirectory(name: string): PartitionName | null {
  const match = /^(.+)-(\d+)\.[^.]+-future$/.exec(name)
  return match === null ? null : { topic: match[1], partition: Number(match[2]) }
}

/** `orders-3`: topic names may hold dashes, so the last one separates. Null if it is no directory of a partition. */
export function parsePartitionDirectory(name: string): PartitionName | null {
  const match = /^(.+)-(\d+)$/.exec(name)
  return match === null ? null : { topic: match[1], partition: Number(match[2]) }
}

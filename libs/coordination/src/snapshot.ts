import type { Disk } from '@millrace/base'
import { FRAME_HEADER_BYTES, decodeFrame, encodeFrame } from './checksummed'
import { coordinationErrors } from './errors'
import type { Range } from './store'

const MAGIC = 'MRS1'

/** The keyspace as last written, or null if there is none. @throws PlatformError COORDINATION_SNAPSHOT_CORRUPT */
export async function readSnapshot(disk: Disk, path: string): Promise<Range | null> {
  const content = await disk.readFile(path)
  if (content === null) return null
  const payload = decodeFrame(MAGIC, content, 0)
  if (payload === null || payload.length !== content.length - FRAME_HEADER_BYTES) {
    const reason = 'bad checksum or length'
    throw coordinationErrors.create('COORDINATION_SNAPSHOT_CORRUPT', { file: path, reason })
  }
  return JSON.parse(payload.toString()) as Range
}

/** Replaces the snapshot: after a crash there is the old or the new one (META-3). */
export async function writeSnapshot(disk: Disk, path: string, range: Range): Promise<void> {
  await disk.replaceFile(path, encodeFrame(MAGIC, JSON.stringify(range)))
}

import * as path from 'node:path'
import type { Clock, Disk } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { offsetFileName, SNAPSHOT_SUFFIX } from './file-names'
import type { Segment } from './segment'

/** Takes the files of segments out of the log now and removes them after the delay, as Kafka does. */
export async function disposeSegments(
  deps: { readonly disk: Disk; readonly clock: Clock; readonly logger: Logger },
  segments: readonly Segment[],
  { directory, delayMs }: { directory: string; delayMs: number },
): Promise<void> {
  const { disk, clock, logger } = deps
  const files: string[] = []
  for (const segment of segments) {
    files.push(...(await segment.renameDeleted()))
    await disk.remove(path.join(directory, offsetFileName(segment.baseOffset, SNAPSHOT_SUFFIX)))
  }
  removeLater({ disk, clock, logger }, files, { directory, delayMs })
}

/** Removes files that were taken out of the log after the delay. */
export function removeLater(
  { disk, clock, logger }: { disk: Disk; clock: Clock; logger: Logger },
  files: readonly string[],
  { directory, delayMs }: { directory: string; delayMs: number },
): void {
  clock.schedule(delayMs, () => {
    // A leftover costs space only, and the next start removes it.
    Promise.all(files.map((file) => disk.remove(file))).catch((error: unknown) =>
      logger.warn('files of deleted segments were not removed', { directory, error }),
    )
  })
}

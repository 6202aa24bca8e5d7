/** What the disk alone can do: the ceiling of the durable figures, and the reason when they vary. */
import { fdatasync, mkdtempSync, openSync, closeSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const PROBE_MS = 2000

export interface DiskCeiling {
  readonly files: number
  readonly roundBytes: number
  readonly mbPerS: number
  readonly roundMs: { readonly p50: number; readonly p99: number }
}

/** Rounds of an append to each file and an fdatasync of all, as a group commit makes them, one after the other. */
export async function diskCeiling(files: number, roundBytes: number): Promise<DiskCeiling> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  const descriptors = Array.from({ length: files }, (_, i) =>
    openSync(join(directory, `${i}`), 'a'),
  )
  const chunk = Buffer.alloc(roundBytes / files, 1)
  const sync = promisify(fdatasync)
  const roundsMs: number[] = []
  try {
    const startedMs = performance.now()
    while (performance.now() - startedMs < PROBE_MS) {
      const roundStartedMs = performance.now()
      for (const descriptor of descriptors) writeSync(descriptor, chunk)
      await Promise.all(descriptors.map((descriptor) => sync(descriptor)))
      roundsMs.push(performance.now() - roundStartedMs)
    }
    const seconds = (performance.now() - startedMs) / 1000
    const sorted = roundsMs.toSorted((a, b) => a - b)
    const at = (share: number) => Number(sorted[Math.floor((sorted.length - 1) * share)].toFixed(2))
    return {
      files,
      roundBytes,
      mbPerS: Math.round((roundsMs.length * roundBytes) / seconds / 1e6),
      roundMs: { p50: at(0.5), p99: at(0.99) },
    }
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The machine a figure was measured on, and what processes took of it. Linux only, as /proc is. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** Of /proc/PID/stat, whose first two fields are cut off. */
const UTIME_FIELD = 11
const STIME_FIELD = 12
const TICKS_PER_S = 100
const PINNING_CORES_MIN = 4

export interface MachineFacts {
  readonly cores: number
  readonly cpu: string
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  /** Of the last minute, when the facts were taken: the load itself, and whoever else was there. */
  readonly loadAverage: number
}

export function machineFacts(): MachineFacts {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0].model,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    loadAverage: Math.round(loadavg()[0] * 10) / 10,
  }
}

/** Seconds of CPU so far. */
export interface CpuTimes {
  readonly atMs: number
  /** The thread that runs JavaScript. */
  readonly mainS: number
  /** All threads of the process. */
  readonly processS: number
}

export interface CpuShare {
  /** Of one core, 0 to 1. */
  readonly main: number
  /** In cores. */
  readonly process: number
}

export function cpuTimes(pid: number): CpuTimes {
  return {
    atMs: performance.now(),
    mainS: cpuSeconds(`/proc/${pid}/task/${pid}/stat`),
    processS: cpuSeconds(`/proc/${pid}/stat`),
  }
}

export function cpuShare(from: CpuTimes, to: CpuTimes): CpuShare {
  const wallS = (to.atMs - from.atMs) / 1000
  return {
    main: round((to.mainS - from.mainS) / wallS),
    process: round((to.processS - from.processS) / wallS),
  }
}

export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]
  return Math.round((Number(kilobytes) * 1024) / 1e6)
}

export interface Pinning {
  readonly client: readonly number[]
  readonly broker: readonly number[]
}

/**
 * The client has the last core for itself. Null on a small machine: the broker's threads need more than one core, and the
 * client takes a fraction of one.
 */
export function coresApart(): Pinning | null {
  if (availableParallelism() < PINNING_CORES_MIN) return null
  const all = Array.from({ length: availableParallelism() }, (_, index) => index)
  return { client: all.slice(-1), broker: all.slice(0, -1) }
}

/** Keeps all threads of a process on some cores, as far as this machine has taskset. */
export function pin(pid: number, cores: readonly number[]): void {
  spawnSync('taskset', ['-a', '-c', '-p', cores.join(','), String(pid)])
}

function cpuSeconds(file: string): number {
  const stat = readFileSync(file, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) / TICKS_PER_S
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

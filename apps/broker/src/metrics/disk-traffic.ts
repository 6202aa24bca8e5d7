import { readFileSync } from 'node:fs'
import type { MetricFamily } from '@millrace/telemetry'

/** Only Linux has it. */
const TRAFFIC_FILE = '/proc/self/io'

/** Bytes that this process had read from and written to disks, as Linux counts them; nothing elsewhere, as in Kafka. */
export function diskTrafficMetrics(): MetricFamily[] {
  return ['read', 'write'].map((direction) => ({
    name: `kafka_server_kafkaserver_linux_disk_${direction}_bytes`,
    type: 'gauge',
    help: `Bytes of disks for this process since its start: ${direction}.`,
    read: () => {
      const value = bytesOf(direction)
      return value === null ? [] : [{ value }]
    },
  }))
}

function bytesOf(direction: string): number | null {
  try {
    const found = new RegExp(`^${direction}_bytes: (\\d+)$`, 'm').exec(
      readFileSync(TRAFFIC_FILE, 'utf8'),
    )
    return found && Number(found[1])
  } catch {
    return null
  }
}

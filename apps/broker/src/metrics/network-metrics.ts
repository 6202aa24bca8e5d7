import { performance } from 'node:perf_hooks'
import type { MetricFamily, Sample } from '@millrace/telemetry'
import type { KafkaListener } from '../network/listener'
import type { Session } from '../network/session'

/** There is one thread that serves connections. */
const NETWORK_PROCESSOR = '0'

/** Connections, and how busy the event loop is: it is the network processor and the request handler of this broker. */
export function networkMetrics(listener: KafkaListener): MetricFamily[] {
  const idleShare = idleSinceLastCall()
  const labels = ['listener', 'network_processor']
  return [
    {
      name: 'kafka_server_socketservermetrics_connection_count',
      type: 'gauge',
      help: 'Connections by listener.',
      labels,
      read: () => countBy(listener, ({ listenerName }) => [listenerName, NETWORK_PROCESSOR]),
    },
    {
      name: 'kafka_server_socketservermetrics_connections',
      type: 'gauge',
      help: 'Connections by what their clients call themselves.',
      labels: ['client_software_name', 'client_software_version', ...labels],
      read: () =>
        countBy(listener, ({ software, listenerName }) => [
          software.name,
          software.version,
          listenerName,
          NETWORK_PROCESSOR,
        ]),
    },
    {
      name: 'kafka_network_socketserver_networkprocessoravgidle_percent',
      type: 'gauge',
      help: 'Share of the time that the event loop was idle since the last scrape, 0 to 1.',
      read: () => [{ value: idleShare() }],
    },
  ]
}

function idleSinceLastCall(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return 1 - utilization
  }
}

function countBy(listener: KafkaListener, labelsOf: (session: Session) => string[]): Sample[] {
  const counts = new Map<string, { labels: string[]; value: number }>()
  for (const session of listener.sessions()) {
    const labels = labelsOf(session)
    const key = labels.join('\n')
    const counted = counts.get(key) ?? { labels, value: 0 }
    counted.value += 1
    counts.set(key, counted)
  }
  return [...counts.values()]
}

import { performance } from 'node:perf_hooks'
import type { MetricFamily, Sample } from '@millrace/telemetry'
import type { ConnectionCounters } from '../network/connection-counters'
import type { KafkaListener } from '../network/listener'
import type { Session } from '../network/session'

/** There is one thread that serves connections. */
const NETWORK_PROCESSOR = '0'

/** What is read within so long belongs to one scrape. */
const SAME_SCRAPE_MS = 100

const COUNTERS: readonly (readonly [
  end: string,
  help: string,
  value: (counters: ConnectionCounters) => number,
])[] = [
  ['connection_creation', 'Connections that were served.', ({ created }) => created],
  ['connection_close', 'Connections that ended.', ({ closed }) => closed],
  [
    'successful_authentication',
    'Logins, and handshakes of TLS where there is no login.',
    ({ authenticated }) => authenticated,
  ],
  [
    'failed_authentication',
    'Logins and handshakes of TLS that failed.',
    ({ failedAuthentications }) => failedAuthentications,
  ],
]

const QUEUES = ['requestqueuesize', 'responsequeuesize']

const IDLE_HELP = 'Share of the time that the event loop was idle since the last scrape, 0 to 1.'
/** One event loop is the network processor and the request handlers. */
const IDLE_SHARES = [
  'kafka_network_socketserver_networkprocessoravgidle_percent',
  'kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent',
]

/** Connections, and how busy the event loop is: it is the network processor and the request handler of this broker. */
export function networkMetrics(listener: KafkaListener): MetricFamily[] {
  const idleShare = idleSinceLastScrape()
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
      // Under the labels that Strimzi's rules give.
      name: 'kafka_server_socket_server_metrics_connection_count',
      type: 'gauge',
      help: 'Connections by listener.',
      labels: ['listener', 'networkProcessor'],
      read: () => countBy(listener, ({ listenerName }) => [listenerName, NETWORK_PROCESSOR]),
    },
    ...COUNTERS.map(
      ([end, help, value]): MetricFamily => ({
        name: `kafka_server_socketservermetrics_${end}_total`,
        type: 'counter',
        help,
        labels,
        read: () =>
          Array.from(listener.counters, ([name, counters]) => ({
            labels: [name, NETWORK_PROCESSOR],
            value: value(counters),
          })),
      }),
    ),
    {
      name: 'kafka_network_processor_idlepercent',
      type: 'gauge',
      help: IDLE_HELP,
      labels: ['networkProcessor'],
      read: () => [{ labels: [NETWORK_PROCESSOR], value: idleShare() }],
    },
    ...QUEUES.map(
      (name): MetricFamily => ({
        name: `kafka_network_requestchannel_${name}`,
        type: 'gauge',
        help: 'Always 0: there is no queue.',
        read: () => [{ value: 0 }],
      }),
    ),
    ...IDLE_SHARES.map(
      (name): MetricFamily => ({
        name,
        type: 'gauge',
        help: IDLE_HELP,
        read: () => [{ value: idleShare() }],
      }),
    ),
  ]
}

/** Of the time between two scrapes: those who ask within one get the same answer. */
function idleSinceLastScrape(): () => number {
  let last = performance.eventLoopUtilization()
  let share = 1
  let measuredAtMs = -Infinity
  return () => {
    if (performance.now() - measuredAtMs < SAME_SCRAPE_MS) return share
    measuredAtMs = performance.now()
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    share = 1 - utilization
    return share
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

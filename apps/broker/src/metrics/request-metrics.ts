import type { Clock } from '@millrace/base'
import { Latencies, type MetricFamily, type Sample } from '@millrace/telemetry'
import type { Handler } from '../handlers/handler'
import type { Dispatcher, Reply } from '../network/dispatcher'
import { ErrorCounts } from './error-counts'
import { quantileFamilies } from './quantiles'

const API_KEY_AT = 0
const API_VERSION_AT = 2

type Part = 'local' | 'remote' | 'total'

/** What is known of the requests of one API key. */
class RequestStats {
  /** Requests by version. */
  readonly countByVersion: number[] = []
  readonly local = new Latencies()
  readonly remote = new Latencies()
  readonly total = new Latencies()

  constructor(readonly name: string) {}
}

/**
 * Counts and times requests on their way through the dispatcher: local is the time until the handler waits for something,
 * remote the time that it waits.
 */
export class RequestMetrics {
  readonly errors = new ErrorCounts()
  readonly #clock: Clock
  readonly #names: (string | undefined)[] = []
  /** Of the requests that have come: each takes a few kilobytes. */
  readonly #byKey: (RequestStats | undefined)[] = []

  constructor(deps: { clock: Clock; handlers: readonly Handler[] }) {
    this.#clock = deps.clock
    for (const { key, request } of deps.handlers)
      this.#names[key] = request.name.replace(/Request$/, '')
  }

  /** The dispatcher with a look at the clock before and after. */
  measured(dispatcher: Dispatcher): Dispatcher {
    return {
      orderOf: (frame) => dispatcher.orderOf(frame),
      dispatch: (frame, client, connection) => {
        const startMs = this.#clock.monotonicMs()
        const reply = dispatcher.dispatch(frame, client, connection)
        const stats = this.#statsOf(frame.readInt16BE(API_KEY_AT))
        return stats
          ? this.#record(stats, frame.readInt16BE(API_VERSION_AT), startMs, reply)
          : reply
      },
    }
  }

  families(): MetricFamily[] {
    return [
      {
        name: 'kafka_network_requestmetrics_requests_total',
        type: 'counter',
        help: 'Requests that were answered, by API and version.',
        labels: ['request', 'version'],
        read: () => this.#counts(),
      },
      this.errors.family(),
      ...this.#timeFamilies('totaltimems', 'From the request to its answer, in ms.', 'total'),
      ...this.#timeFamilies('localtimems', 'Until a request first waits, in ms.', 'local'),
      ...this.#timeFamilies('remotetimems', 'What a request waits for others, in ms.', 'remote'),
      ...['requestqueuetimems', 'responsequeuetimems'].flatMap((name) =>
        this.#timeFamilies(name, 'Always 0: there is no queue.', null),
      ),
    ]
  }

  #statsOf(key: number): RequestStats | undefined {
    const known = this.#byKey[key]
    const name = this.#names[key]
    if (known !== undefined || name === undefined) return known
    return (this.#byKey[key] = new RequestStats(name))
  }

  #record(stats: RequestStats, version: number, startMs: number, reply: Reply): Reply {
    const localMs = this.#clock.monotonicMs()
    stats.countByVersion[version] = (stats.countByVersion[version] ?? 0) + 1
    stats.local.record(localMs - startMs, localMs)
    if (!(reply instanceof Promise)) {
      stats.remote.record(0, localMs)
      stats.total.record(localMs - startMs, localMs)
      return reply
    }
    return reply.then((buffers) => {
      const nowMs = this.#clock.monotonicMs()
      stats.remote.record(nowMs - localMs, nowMs)
      stats.total.record(nowMs - startMs, nowMs)
      return buffers
    })
  }

  *#counts(): Iterable<Sample> {
    for (const [name, { countByVersion }] of this.#named())
      for (const version of countByVersion.keys()) {
        const value = countByVersion[version]
        if (value !== undefined) yield { labels: [name, String(version)], value }
      }
  }

  #timeFamilies(end: string, help: string, part: Part | null): MetricFamily[] {
    const name = `kafka_network_requestmetrics_${end}`
    return quantileFamilies(
      { name, help, labels: ['request'] },
      () =>
        Array.from(this.#named(), ([request, stats]) => ({
          labels: [request],
          times: part === null ? { noneCount: stats.total.count } : stats[part],
        })),
      () => this.#clock.monotonicMs(),
    )
  }

  /** Kafka counts fetches a second time by who fetches. Here it is always a consumer. */
  *#named(): Iterable<readonly [name: string, stats: RequestStats]> {
    for (const stats of this.#byKey) {
      if (stats === undefined) continue
      yield [stats.name, stats]
      if (stats.name === 'Fetch') yield ['FetchConsumer', stats]
    }
  }
}

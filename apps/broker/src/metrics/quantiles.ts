import type { Latencies, MetricFamily, Sample } from '@millrace/telemetry'

/** As the exporter writes them. */
const QUANTILES = ['0.50', '0.75', '0.95', '0.98', '0.99', '0.999']

/** What was timed, by the values of `labels`. `noneCount` stands for what takes no time, however often it comes. */
export interface Timed {
  readonly labels: readonly string[]
  readonly times: Latencies | { readonly noneCount: number }
}

/** The quantiles of some times and how many there were, as the exporter makes them of a histogram. */
export function quantileFamilies(
  { name, help, labels = [] }: { name: string; help: string; labels?: readonly string[] },
  read: () => Iterable<Timed>,
  nowMs: () => number,
): MetricFamily[] {
  return [
    {
      name,
      type: 'gauge',
      help,
      labels: [...labels, 'quantile'],
      read: () => quantiles(read(), nowMs()),
    },
    {
      name: `${name}_count`,
      type: 'counter',
      help: `How many were timed. ${help}`,
      labels,
      read: () =>
        Array.from(read(), ({ labels: values, times }) => ({
          labels: values,
          value: 'noneCount' in times ? times.noneCount : times.count,
        })),
    },
  ]
}

function* quantiles(all: Iterable<Timed>, nowMs: number): Iterable<Sample> {
  for (const { labels, times } of all)
    for (const share of QUANTILES) {
      const value = 'noneCount' in times ? 0 : times.quantile(Number(share), nowMs)
      yield { labels: [...labels, share], value }
    }
}

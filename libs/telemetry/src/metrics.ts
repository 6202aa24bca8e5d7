import type * as Prometheus from 'prom-client'

/** Version 0.0.4 of the text format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface Sample {
  /** In the order of the family's label names. */
  readonly labels?: readonly string[]
  readonly value: number
}

/** One metric by its name. Whoever counts keeps plain numbers; they are read when somebody scrapes. */
export interface MetricFamily {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels?: readonly string[]
  readonly read: () => Iterable<Sample>
}

/** Metrics of a program in the text format of Prometheus. */
export class Metrics {
  readonly #families: readonly MetricFamily[]
  /** Made by the first scrape: the library takes 10 MB of each thread that loads it, and Node's own metrics cost a little while they are watched. */
  #registry: Promise<Prometheus.Registry> | null = null

  constructor(families: readonly MetricFamily[]) {
    this.#families = families
  }

  /** For the header of the answer to a scrape. */
  get contentType(): string {
    return CONTENT_TYPE
  }

  /** All metrics as they are now, those of the process and of Node with them. */
  async expose(): Promise<string> {
    this.#registry ??= createRegistry(this.#families)
    return (await this.#registry).metrics()
  }
}

async function createRegistry(families: readonly MetricFamily[]): Promise<Prometheus.Registry> {
  const prometheus = await import('prom-client')
  const registry = new prometheus.Registry()
  prometheus.collectDefaultMetrics({ register: registry })
  for (const family of families) register(family, registry, prometheus)
  return registry
}

function register(
  family: MetricFamily,
  registry: Prometheus.Registry,
  { Counter, Gauge }: typeof Prometheus,
): void {
  const { name, help, type, labels = [], read } = family
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  if (type === 'gauge')
    new Gauge({
      ...options,
      collect() {
        this.reset() // what is gone must not stay at its last value
        for (const { labels: values = [], value } of read()) this.labels(...values).set(value)
      },
    })
  else
    new Counter({
      ...options,
      collect() {
        this.reset()
        for (const { labels: values = [], value } of read()) this.labels(...values).inc(value)
      },
    })
}

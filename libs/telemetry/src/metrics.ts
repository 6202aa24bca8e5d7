import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

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
  /** Made by the first scrape: the metrics of Node cost a little for as long as they are watched. */
  #registry: Registry | null = null

  constructor(families: readonly MetricFamily[]) {
    this.#families = families
  }

  /** For the header of the answer to a scrape. */
  get contentType(): string {
    return Registry.PROMETHEUS_CONTENT_TYPE
  }

  /** All metrics as they are now, those of the process and of Node with them. */
  expose(): Promise<string> {
    this.#registry ??= createRegistry(this.#families)
    return this.#registry.metrics()
  }
}

function createRegistry(families: readonly MetricFamily[]): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const family of families) register(family, registry)
  return registry
}

function register(family: MetricFamily, registry: Registry): void {
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

/** Metrics in the text format of Prometheus; the broker's are such. */
export interface ExposedMetrics {
  readonly contentType: string
  expose(): Promise<string>
}

/** What is served at `/metrics`. */
export class MetricsSource {
  constructor(readonly metrics: ExposedMetrics | null) {}
}

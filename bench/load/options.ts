/** What a bench tells the process that makes its load, and what it hears back. */

export interface LoadOptions {
  readonly kind: 'produce' | 'paced-produce' | 'fetch'
  readonly port: number
  readonly topic: string
  readonly partitions: number
  readonly connections: number
  /** Requests on the way per connection; a fetch waits for its answer, so it has one. */
  readonly inFlight: number
  readonly recordBytes: number
  readonly batchBytes: number
  /** Of paced-produce: all connections together. */
  readonly recordsPerS?: number
  readonly warmUpMs: number
  readonly measureMs: number
}

export type LoadMessage =
  | { readonly type: 'measuring' }
  | { readonly type: 'done'; readonly result: LoadResult }

export interface LoadResult {
  readonly seconds: number
  readonly records: number
  /** Bytes of record values: keys, headers and batch overhead do not count. */
  readonly valueBytes: number
  readonly requests: number
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

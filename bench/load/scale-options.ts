/** What the scale bench tells its load, and what it hears from it and from the broker. */

export interface ScaleOptions {
  readonly port: number
  readonly topic: string
  readonly partitions: number
  readonly idleConnections: number
  readonly groups: number
  readonly batchesPerSecond: number
  readonly measureMs: number
}

export interface ScaleResult {
  readonly batches: number
  readonly heartbeats: number
  readonly commits: number
  readonly produceMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

export type ScaleMessage =
  | { readonly type: 'idle' }
  | { readonly type: 'measuring' }
  | { readonly type: 'done'; readonly result: ScaleResult }

export type WatchedMessage =
  | { readonly type: 'ready'; readonly port: number }
  /** How much longer than it should the event loop was away. */
  | {
      readonly type: 'stalls'
      readonly stallMs: { readonly p50: number; readonly p99: number; readonly max: number }
    }

import { crc32c, newUuid, ZERO_UUID, type Clock, type Random } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { recordKinds, type Configs, type MetadataImage, type RecordsOf } from '@millrace/controller'
import { ErrorCode } from '@millrace/wire'
import {
  clientMetricsDefinition,
  parseMatch,
  type ClientMetricsConfig,
  type MatchableProperty,
} from './configs/client-metrics-keys'

/** Clients that are remembered; beyond it the one that was silent for longest is forgotten, and asks anew. */
const INSTANCES_MAX = 16_384
const RESOURCE_PREFIX = 'client-metrics/'
const ALL_METRICS = '*'
const DEFAULT_INTERVAL_MS = 300_000
/** zstd, lz4, gzip, snappy: in the order in which clients should prefer them. */
const COMPRESSION_TYPES = [4, 3, 1, 2]
const NO_COMPRESSION = 0

/** Who a client is, for the patterns of subscriptions. */
export type ClientDescription = Readonly<Record<MatchableProperty, string>>

export interface Subscription {
  readonly clientInstanceId: string
  readonly subscriptionId: number
  readonly acceptedCompressionTypes: readonly number[]
  readonly pushIntervalMs: number
  /** Prefixes of metric names. */
  readonly requestedMetrics: readonly string[]
}

export interface Push {
  readonly clientInstanceId: string
  readonly subscriptionId: number
  readonly isTerminating: boolean
  readonly compressionType: number
  readonly sizeBytes: number
}

interface Instance {
  readonly subscription: Subscription
  /** The configs that the subscription was made of. */
  readonly configs: RecordsOf<Configs>
  lastGetMs: number
  lastPushMs: number
  isTerminating: boolean
  lastError: number
}

/**
 * Metrics that clients send (KIP-714): tells each which ones are wanted, and counts what comes in. The content is dropped:
 * there is nobody here to read it.
 */
export class ClientTelemetry {
  readonly #clock: Clock
  readonly #random: Random
  readonly #metadata: () => MetadataImage
  /** The longest silent first. */
  readonly #instances = new Map<string, Instance>()
  pushCount = 0
  pushedBytes = 0

  constructor(deps: { clock: Clock; random: Random; metadata: () => MetadataImage }) {
    this.#clock = deps.clock
    this.#random = deps.random
    this.#metadata = deps.metadata
  }

  /** What a client is to send and how often, or the wire error if it asks too soon. */
  subscribe(client: ClientDescription): Subscription | number {
    const isNew = client.client_instance_id === ZERO_UUID
    const id = isNew ? newUuid(this.#random) : client.client_instance_id
    const instance = this.#instanceOf({ ...client, client_instance_id: id })
    const nowMs = this.#clock.monotonicMs()
    const { pushIntervalMs } = instance.subscription
    const lastMs = Math.max(instance.lastGetMs, instance.lastPushMs)
    // After these errors the client is to ask again at once.
    const mayAskAtOnce =
      instance.lastError === ErrorCode.UNKNOWN_SUBSCRIPTION_ID ||
      instance.lastError === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    if (nowMs - lastMs >= pushIntervalMs) instance.lastGetMs = nowMs
    else if (!mayAskAtOnce) return ErrorCode.THROTTLING_QUOTA_EXCEEDED
    instance.lastError = ErrorCode.NONE
    return instance.subscription
  }

  /** Takes what a client has sent; returns the wire error. */
  push(push: Push, client: ClientDescription, maxBytes: number): number {
    if (push.clientInstanceId === ZERO_UUID) return ErrorCode.INVALID_REQUEST
    const instance = this.#instanceOf(client)
    const errorCode = this.#refusalOf(push, instance, maxBytes)
    instance.isTerminating = push.isTerminating
    instance.lastError = errorCode
    if (errorCode === ErrorCode.NONE) {
      this.pushCount += 1
      this.pushedBytes += push.sizeBytes
    }
    return errorCode
  }

  #refusalOf(push: Push, instance: Instance, maxBytes: number): number {
    if (instance.isTerminating) return ErrorCode.INVALID_REQUEST
    const nowMs = this.#clock.monotonicMs()
    const { subscriptionId, pushIntervalMs } = instance.subscription
    // The first push after an answer may come at any time: clients spread theirs.
    const isInTime =
      instance.lastGetMs > instance.lastPushMs || nowMs - instance.lastPushMs >= pushIntervalMs
    if (isInTime) instance.lastPushMs = nowMs
    else if (!push.isTerminating) return ErrorCode.THROTTLING_QUOTA_EXCEEDED
    if (push.subscriptionId !== subscriptionId) return ErrorCode.UNKNOWN_SUBSCRIPTION_ID
    if (
      push.compressionType !== NO_COMPRESSION &&
      !COMPRESSION_TYPES.includes(push.compressionType)
    )
      return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    return push.sizeBytes > maxBytes ? ErrorCode.TELEMETRY_TOO_LARGE : ErrorCode.NONE
  }

  /** Made anew when the subscriptions have changed since. */
  #instanceOf(client: ClientDescription): Instance {
    const id = client.client_instance_id
    const configs = this.#metadata().records(recordKinds.configs)
    const known = this.#instances.get(id)
    this.#instances.delete(id)
    const instance =
      known?.configs === configs
        ? known
        : {
            subscription: subscriptionOf(client, configs),
            configs,
            lastGetMs: -Infinity,
            lastPushMs: -Infinity,
            isTerminating: known?.isTerminating ?? false,
            lastError: ErrorCode.NONE,
          }
    this.#instances.set(id, instance)
    if (this.#instances.size > INSTANCES_MAX) {
      const [oldest] = this.#instances.keys()
      this.#instances.delete(oldest)
    }
    return instance
  }
}

function subscriptionOf(client: ClientDescription, configs: RecordsOf<Configs>): Subscription {
  const matching: ClientMetricsConfig[] = []
  for (const [key, own] of configs) {
    if (!key.startsWith(RESOURCE_PREFIX)) continue
    const { config } = parseConfig(clientMetricsDefinition, own)
    if (isMeant(client, config)) matching.push(config)
  }
  const wanted = new Set(matching.flatMap(({ metrics }) => metrics))
  const requestedMetrics = wanted.has(ALL_METRICS) ? [ALL_METRICS] : [...wanted]
  const intervals = matching.map(({ intervalMs }) => intervalMs)
  const pushIntervalMs = Math.min(DEFAULT_INTERVAL_MS, ...intervals)
  const text = `${client.client_instance_id} ${pushIntervalMs} ${requestedMetrics.join()}`
  return {
    clientInstanceId: client.client_instance_id,
    subscriptionId: crc32c(Buffer.from(text)) | 0,
    acceptedCompressionTypes: COMPRESSION_TYPES,
    pushIntervalMs,
    requestedMetrics,
  }
}

function isMeant(client: ClientDescription, { match }: ClientMetricsConfig): boolean {
  return match.every((text) => {
    const pattern = parseMatch(text)
    return pattern !== null && pattern.value.test(client[pattern.property])
  })
}

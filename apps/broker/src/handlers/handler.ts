import type {
  apiMessages,
  Infer,
  InferInput,
  MessageSpec,
  ServedApiKey,
  VersionRange,
} from '@millrace/wire'
import { apiMessages as messages } from '@millrace/wire'
import type { RequestContext } from './request-context'

export type { RequestContext } from './request-context'

export type RequestOf<K extends ServedApiKey> = Infer<(typeof apiMessages)[K]['request']>
export type ResponseOf<K extends ServedApiKey> = InferInput<(typeof apiMessages)[K]['response']>

/**
 * What the later requests of a connection wait for. In Kafka they wait for everything: it has one request of a connection at
 * work. `free`: for nothing. `serial`: those of the same key wait for the answer. `change`: all do, since clients count on
 * finding what they changed with the next request, and do not always wait for the answer before they send it.
 */
export type RequestOrder = 'free' | 'serial' | 'change'

/** A row of the table of requests. */
export interface Handler {
  readonly key: ServedApiKey
  readonly served: VersionRange
  /** What ApiVersions tells; the same as served, but for Produce. */
  readonly advertised: VersionRange
  readonly request: MessageSpec
  readonly response: MessageSpec
  readonly order: RequestOrder
  /** Null means that the client expects no answer. Whatever it throws closes the connection. */
  handle(request: unknown, context: RequestContext): object | null | Promise<object | null>
}

export interface HandlerVersions extends VersionRange {
  /** First version that ApiVersions tells, when clients need to see older ones than are served. */
  readonly advertisedMin?: number
  /** Default: `free`. */
  readonly order?: RequestOrder
}

/** Declares the handler of one API key. */
export function handler<K extends ServedApiKey>(
  key: K,
  versions: HandlerVersions,
  handle: (
    request: RequestOf<K>,
    context: RequestContext,
  ) => ResponseOf<K> | null | Promise<ResponseOf<K> | null>,
): Handler {
  const { min, max, advertisedMin = min, order = 'free' } = versions
  return {
    key,
    served: { min, max },
    advertised: { min: advertisedMin, max },
    request: messages[key].request as MessageSpec,
    response: messages[key].response as MessageSpec,
    order,
    handle: handle as Handler['handle'],
  }
}

/** Who asks, as the group coordinator remembers it. */
export function clientOf(ctx: RequestContext): {
  clientId: string
  clientHost: string
  apiVersion: number
} {
  const { clientId, client, apiVersion } = ctx
  return { clientId: clientId ?? '', clientHost: `/${client.host}`, apiVersion }
}

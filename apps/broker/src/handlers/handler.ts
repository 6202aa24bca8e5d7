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

/** A row of the table of requests. */
export interface Handler {
  readonly key: ServedApiKey
  readonly served: VersionRange
  /** What ApiVersions tells; the same as served, but for Produce. */
  readonly advertised: VersionRange
  readonly request: MessageSpec
  readonly response: MessageSpec
  /** A connection's next request with this key is not begun before this one is answered. */
  readonly isOneAtATime: boolean
  /** Null means that the client expects no answer. Whatever it throws closes the connection. */
  handle(request: unknown, context: RequestContext): object | null | Promise<object | null>
}

export interface HandlerVersions extends VersionRange {
  /** First version that ApiVersions tells, when clients need to see older ones than are served. */
  readonly advertisedMin?: number
  readonly isOneAtATime?: boolean
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
  const { min, max, advertisedMin = min, isOneAtATime = false } = versions
  return {
    key,
    served: { min, max },
    advertised: { min: advertisedMin, max },
    request: messages[key].request as MessageSpec,
    response: messages[key].response as MessageSpec,
    isOneAtATime,
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

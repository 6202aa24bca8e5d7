import type { QuotaClient } from '@millrace/quota'
import {
  ApiKey,
  ApiVersionsResponse,
  decodePrefix,
  decodeRequestHeader,
  encodeResponse,
  ErrorCode,
  type MessageSpec,
  type RequestHeader,
} from '@millrace/wire'
import { brokerErrors } from '../errors'
import type { BrokerServices } from '../services'
import type { Handler, RequestOrder } from '../handlers/handler'
import { RequestContext } from '../handlers/request-context'
import { advertisedVersions } from '../handlers/18-api-versions'
import type { ClientSession } from './session'
import { RequestThrottle, type Throttled } from './throttle'

const API_KEY_BYTES = 2

/** The framed answer; null when the client expects none. */
export type Reply = readonly Buffer[] | null | Promise<readonly Buffer[] | null>

/** Called with each answer of a handler before it is encoded. */
export type AnswerListener = (response: MessageSpec, apiVersion: number, answer: object) => void

export interface Dispatcher {
  /** How the request stands to others of its connection. */
  orderOf(frame: Buffer): RequestOrder
  /**
   * Begins a request; synchronous up to the handler's first wait. `connection` is what quotas hold up; null before a login.
   * @throws whatever must close the connection
   */
  dispatch(frame: Buffer, client: ClientSession, connection: Throttled | null): Reply
}

/** Requests go through a plain table: Nest owns the life of the listener, not the path of a request (ADR 0005). */
export function createDispatcher(
  handlers: readonly Handler[],
  services: BrokerServices,
  onAnswer: AnswerListener,
): Dispatcher {
  const table: (Handler | undefined)[] = []
  const names: string[] = []
  for (const handler of handlers) {
    table[handler.key] = handler
    names[handler.key] = handler.request.name.replace(/Request$/, '')
  }

  return {
    orderOf(frame) {
      const isCut = frame.length < API_KEY_BYTES // `dispatch` will refuse it
      return (isCut ? undefined : table[frame.readInt16BE(0)]?.order) ?? 'free'
    },
    dispatch(frame, client, connection) {
      const header = decodeRequestHeader(frame)
      const { apiKey, apiVersion, correlationId } = header
      const handler = table[apiKey]
      if (!handler) throw refused(`API key ${apiKey} is not served`)
      const { min, max } = handler.served
      if (apiVersion < min || apiVersion > max) {
        if (apiKey === ApiKey.ApiVersions) return unsupportedApiVersions(handlers, correlationId)
        throw refused(
          `${handler.request.name} version ${apiVersion} is not served (${min} to ${max})`,
        )
      }
      const throttle =
        connection !== null && services.quotas.isEnabled
          ? new RequestThrottle(services, connection, clientOf(header, client))
          : null
      const request = decodePrefix(handler.request, apiVersion, frame, header.bodyStart)
      const context = new RequestContext(
        apiVersion,
        header.clientId,
        client,
        services,
        names[apiKey],
        throttle,
      )
      const answer = handler.handle(request, context)
      throttle?.pause()
      const toFrame = (body: object | null) => {
        throttle?.resume()
        const told = throttle === null ? body : throttle.finish(apiKey, frame.length, body)
        if (told === null) return null
        onAnswer(handler.response, apiVersion, told)
        const reply = encodeResponse(handler.response, apiVersion, correlationId, told as never)
        throttle?.onEncoded(apiKey)
        return reply
      }
      return answer instanceof Promise ? answer.then(toFrame) : toFrame(answer)
    },
  }
}

function clientOf({ clientId }: RequestHeader, { principal }: ClientSession): QuotaClient {
  return { user: principal.name, clientId: clientId ?? '' }
}

/** A client that is newer than we are learns our versions from a body that every client can read. */
function unsupportedApiVersions(handlers: readonly Handler[], correlationId: number): Buffer[] {
  return encodeResponse(ApiVersionsResponse, 0, correlationId, {
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: advertisedVersions(handlers),
  })
}

function refused(reason: string) {
  return brokerErrors.create('BROKER_REQUEST_REFUSED', { reason })
}

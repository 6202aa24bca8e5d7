import {
  ApiKey,
  ApiVersionsResponse,
  decode,
  decodeRequestHeader,
  encodeResponse,
  ErrorCode,
} from '@millrace/wire'
import { brokerErrors } from '../errors'
import type { BrokerServices } from '../services'
import type { Handler } from '../handlers/handler'
import { RequestContext } from '../handlers/request-context'
import { advertisedVersions } from '../handlers/18-api-versions'
import type { ClientSession } from './session'

/** The framed answer; null when the client expects none. */
export type Reply = readonly Buffer[] | null | Promise<readonly Buffer[] | null>

export interface Dispatcher {
  /** Begins a request; synchronous up to the handler's first wait. @throws whatever must close the connection. */
  dispatch(frame: Buffer, client: ClientSession): Reply
}

/** Requests go through a plain table: Nest owns the life of the listener, not the path of a request (ADR 0005). */
export function createDispatcher(
  handlers: readonly Handler[],
  services: BrokerServices,
): Dispatcher {
  const table: (Handler | undefined)[] = []
  const names: string[] = []
  for (const handler of handlers) {
    table[handler.key] = handler
    names[handler.key] = handler.request.name.replace(/Request$/, '')
  }

  return {
    dispatch(frame, client) {
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
      const request = decode(handler.request, apiVersion, frame, header.bodyStart)
      const context = new RequestContext(
        apiVersion,
        header.clientId,
        client,
        services,
        names[apiKey],
      )
      const answer = handler.handle(request, context)
      const toFrame = (body: object | null) =>
        body === null
          ? null
          : encodeResponse(handler.response, apiVersion, correlationId, body as never)
      return answer instanceof Promise ? answer.then(toFrame) : toFrame(answer)
    },
  }
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

/**
 * ApiVersions, key 18 - served: 0 to 4.
 * Does: tells which requests are served in which versions. A version above 4 is answered by the dispatcher in a version 0
 * body with UNSUPPORTED_VERSION, so that a newer client can step down.
 * Versions: 3 flexible, client software name; the response header is version 0 always.
 * Gaps: no features are finalised yet: group.version and transaction.version come with what they unlock.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type Handler } from './handler'

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** The rows of the answer, from the table of handlers itself. */
export function advertisedVersions(handlers: readonly Handler[]) {
  return handlers.map(({ key, advertised }) => ({
    apiKey: key,
    minVersion: advertised.min,
    maxVersion: advertised.max,
  }))
}

/** Made for a table of handlers, of which it is one itself. */
export function apiVersions(handlers: () => readonly Handler[]): Handler {
  return handler(ApiKey.ApiVersions, { min: 0, max: 4 }, (request, ctx) => {
    const isNamed =
      ctx.apiVersion < 3 ||
      (SOFTWARE_NAME.test(request.clientSoftwareName) &&
        SOFTWARE_NAME.test(request.clientSoftwareVersion))
    return {
      errorCode: isNamed ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST,
      apiKeys: isNamed ? advertisedVersions(handlers()) : [],
      throttleTimeMs: 0,
    }
  })
}

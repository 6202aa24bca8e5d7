/**
 * ApiVersions, key 18 - served: 0 to 4.
 * Does: tells which requests are served in which versions, and which features are supported and switched on. A version
 * above 4 is answered by the dispatcher in a version 0 body with UNSUPPORTED_VERSION, so that a newer client can step down.
 * Versions: 3 flexible, client software name, features; 4 features that begin at level 0, which older clients cannot read.
 * The response header is version 0 always.
 * Gaps: none known.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { featureLevel, featureNames, features } from '../features'
import { handler, type Handler, type RequestContext } from './handler'

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
    if (!isNamed) return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [], throttleTimeMs: 0 }
    if (ctx.apiVersion >= 3) {
      const { clientSoftwareName: name, clientSoftwareVersion: version } = request
      ctx.client.software = { name, version }
    }
    return {
      errorCode: ErrorCode.NONE,
      apiKeys: advertisedVersions(handlers()),
      throttleTimeMs: 0,
      ...advertisedFeatures(ctx),
    }
  })
}

function advertisedFeatures({ apiVersion, broker }: RequestContext) {
  const image = broker.metadata()
  return {
    supportedFeatures: featureNames
      .map((name) => ({ name, minVersion: features[name].min, maxVersion: features[name].max }))
      .filter(({ minVersion }) => apiVersion >= 4 || minVersion > 0),
    finalizedFeaturesEpoch: image.revision,
    finalizedFeatures: featureNames.flatMap((name) => {
      const level = featureLevel(image, name)
      return level === 0 ? [] : [{ name, minVersionLevel: level, maxVersionLevel: level }]
    }),
  }
}

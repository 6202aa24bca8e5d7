/**
 * ApiVersions, key 18 - versions 0 to 4: which requests the broker answers; a client's first
 * question.
 * Versions: 3 flexible, name and version of the client, features; 4 features may start at level 0.
 * The header of the response is that of version 0 in every version, and a request of an unknown
 * version is answered UNSUPPORTED_VERSION in version 0.
 */
import { field, list, message, type Infer } from '../schema'

export const ApiVersionsRequest = message(
  { name: 'ApiVersionsRequest', key: 18, versions: '0-4', flexible: '3+' },
  {
    clientSoftwareName: field('string', '3+'),
    clientSoftwareVersion: field('string', '3+'),
  },
)
export type ApiVersionsRequest = Infer<typeof ApiVersionsRequest>

export const ApiVersionsResponse = message(
  { name: 'ApiVersionsResponse', key: 18, versions: '0-4', flexible: '3+' },
  {
    errorCode: field('int16', '0+'),
    apiKeys: list('0+', {
      apiKey: field('int16', '0+'),
      minVersion: field('int16', '0+'),
      maxVersion: field('int16', '0+'),
    }),
    throttleTimeMs: field('int32', '1+'),
    supportedFeatures: list(
      '3+',
      {
        name: field('string', '3+'),
        minVersion: field('int16', '3+'),
        maxVersion: field('int16', '3+'),
      },
      { tag: 0 },
    ),
    finalizedFeaturesEpoch: field('int64', '3+', { default: -1, tag: 1, doc: '-1 if not known.' }),
    finalizedFeatures: list(
      '3+',
      {
        name: field('string', '3+'),
        maxVersionLevel: field('int16', '3+'),
        minVersionLevel: field('int16', '3+'),
      },
      { tag: 2 },
    ),
    zkMigrationReady: field('bool', '3+', { default: false, tag: 3 }),
  },
)
export type ApiVersionsResponse = Infer<typeof ApiVersionsResponse>

/**
 * UpdateFeatures, key 57 - versions 0 to 2: switches features that all brokers share.
 * Versions: 0 has `allowDowngrade`; 1 kind of change instead, validateOnly; 2 no results by feature.
 */
import { field, list, message, type Infer } from '../schema'

export const UpdateFeaturesRequest = message(
  { name: 'UpdateFeaturesRequest', key: 57, versions: '0-2', flexible: '0+' },
  {
    timeoutMs: field('int32', '0+', { default: 60000 }),
    featureUpdates: list('0+', {
      feature: field('string', '0+'),
      maxVersionLevel: field('int16', '0+'),
      allowDowngrade: field('bool', '0'),
      upgradeType: field('int8', '1+', { default: 1 }),
    }),
    validateOnly: field('bool', '1+', { default: false }),
  },
)
export type UpdateFeaturesRequest = Infer<typeof UpdateFeaturesRequest>

export const UpdateFeaturesResponse = message(
  { name: 'UpdateFeaturesResponse', key: 57, versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+'),
    results: list('0-1', {
      feature: field('string', '0+'),
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
    }),
  },
)
export type UpdateFeaturesResponse = Infer<typeof UpdateFeaturesResponse>

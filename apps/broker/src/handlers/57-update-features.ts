/**
 * UpdateFeatures, key 57 - served: 0 to 2.
 * Does: switches features on, up and down, all of the request or none; with validateOnly says whether it could.
 * Versions: 0 tells only whether a downgrade is allowed; 1 kind of change, validateOnly; 2 no results by feature.
 * Gaps: none known.
 */
import { errorMessage } from '@millrace/base'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { updateFeatures as update, UpgradeType, type FeatureUpdate } from '../feature-updates'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.UpdateFeatures>

export const updateFeatures = handler(
  ApiKey.UpdateFeatures,
  { min: 0, max: 2, order: 'change' },
  async (request, ctx) => {
    if (!ctx.allowsOnCluster(AclOperation.ALTER)) {
      const code = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
      return answer(code, errorText(code), [])
    }
    try {
      await update(ctx.broker.controller, updatesOf(request, ctx.apiVersion), request.validateOnly)
      const results = request.featureUpdates.map(({ feature }) => ({
        feature,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
      }))
      return answer(ErrorCode.NONE, null, ctx.apiVersion <= 1 ? results : [])
    } catch (error) {
      return answer(wireFailureOf(error).errorCode, errorMessage(error), [])
    }
  },
)

function updatesOf({ featureUpdates }: Request, apiVersion: number): FeatureUpdate[] {
  return featureUpdates.map(({ feature, maxVersionLevel, upgradeType, allowDowngrade }) => ({
    feature,
    maxVersionLevel,
    upgradeType: apiVersion > 0 || !allowDowngrade ? upgradeType : UpgradeType.SAFE_DOWNGRADE,
  }))
}

function answer(
  errorCode: number,
  message: string | null,
  results: { feature: string; errorCode: number; errorMessage: string | null }[],
) {
  return { throttleTimeMs: 0, errorCode, errorMessage: message, results }
}

import { recordKinds, type Controller } from '@millrace/controller'
import { ErrorCode, protocolError } from '@millrace/wire'
import { featureLevel, featureNames, features } from './features'

/** What a level is changed for; the numbers are the protocol's. */
export const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  readonly upgradeType: number
}

/** Changes levels, all of them or none. @throws the wire's INVALID_UPDATE_VERSION for the first that cannot be */
export async function updateFeatures(
  controller: Controller,
  updates: readonly FeatureUpdate[],
  validateOnly: boolean,
): Promise<void> {
  const plan = (): Map<string, number> => {
    for (const update of updates) {
      const problem = problemOf(update, controller)
      if (problem === null) continue
      const { feature, maxVersionLevel } = update
      const message = `level ${maxVersionLevel} of ${feature} is not possible: ${problem}; nothing was changed`
      throw protocolError(ErrorCode.INVALID_UPDATE_VERSION, message)
    }
    return new Map(updates.map(({ feature, maxVersionLevel }) => [feature, maxVersionLevel]))
  }
  plan()
  if (!validateOnly) await controller.changeRecords(recordKinds.features, plan)
}

function problemOf(update: FeatureUpdate, controller: Controller): string | null {
  const { maxVersionLevel: wanted, upgradeType } = update
  if (!Object.values<number>(UpgradeType).includes(upgradeType))
    return `there is no upgrade type ${upgradeType}`
  if (wanted < 0) return 'a level is not below 0'
  const name = featureNames.find((known) => known === update.feature)
  if (!name) return 'this feature is not known'
  const { min, max } = features[name]
  if (wanted < min || wanted > max) return `this broker can do ${min} to ${max}`
  const current = featureLevel(controller.metadata(), name)
  if (wanted < current && upgradeType === UpgradeType.UPGRADE)
    return `it is at ${current}, and a downgrade must be called one`
  if (wanted > current && upgradeType !== UpgradeType.UPGRADE)
    return `it is at ${current}, and this would be no downgrade`
  return null
}

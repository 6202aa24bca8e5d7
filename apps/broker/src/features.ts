import { recordKinds, type MetadataImage } from '@millrace/controller'

/**
 * The features that all brokers switch on together: which levels this version can run at, and at which a cluster runs
 * that nobody has told otherwise. Level 0 is off.
 */
export const features = {
  /** 1: consumer groups whose partitions the broker assigns. */
  'group.version': { min: 0, max: 1, initial: 1 },
  /** Kafka's numbers, for tools that ask: 7 is 3.3-IV3, 30 is 4.3-IV0. Nothing here depends on it. */
  'metadata.version': { min: 7, max: 30, initial: 30 },
  /** 1: transaction records with tagged fields. 2: an epoch for each transaction, and partitions added by being written to. */
  'transaction.version': { min: 0, max: 2, initial: 2 },
} as const
export type FeatureName = keyof typeof features

export const featureNames = Object.keys(features) as readonly FeatureName[]

/** The level at which the cluster runs. */
export function featureLevel(image: MetadataImage, name: FeatureName): number {
  return image.records(recordKinds.features).get(name) ?? features[name].initial
}

import { ErrorCode } from '@millrace/wire'

/** What configs can be about, as the protocol numbers it. */
export const ConfigResourceType = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const
export type ConfigResourceType = (typeof ConfigResourceType)[keyof typeof ConfigResourceType]

export interface ConfigResource {
  /** A number of `ConfigResourceType`, or anything that a client made up. */
  readonly resourceType: number
  readonly resourceName: string
}

/** How a request about one resource ended. */
export interface ConfigOutcome {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const DONE: ConfigOutcome = { errorCode: ErrorCode.NONE, errorMessage: null }

export function refusal(errorCode: number, errorMessage: string): ConfigOutcome {
  return { errorCode, errorMessage }
}

/** Key of the default of all brokers among the controller's records. */
export const CLUSTER_DEFAULT = 'broker/'

/** Where a resource's configs stand among the controller's records; topics keep theirs with the topic. */
export function recordKeyOf({ resourceType, resourceName }: ConfigResource): string {
  switch (resourceType) {
    case ConfigResourceType.BROKER:
      return CLUSTER_DEFAULT + resourceName
    case ConfigResourceType.GROUP:
      return `group/${resourceName}`
    default:
      return `client-metrics/${resourceName}`
  }
}

import { parseConfig, type ConfigDefinition, type ConfigKey } from '@millrace/config'
import { recordKinds, validateTopicName, type Configs } from '@millrace/controller'
import { logConfigDefinition } from '@millrace/log'
import { ErrorCode, errorText } from '@millrace/wire'
import type { BrokerServices } from '../services'
import { wireFailureOf } from '../wire-failure'
import { findBrokerKey } from './broker-keys'
import { keyFinder } from './change'
import { clientMetricsDefinition } from './client-metrics-keys'
import { groupDefinition, groupProblems } from './group-keys'
import {
  ConfigResourceType,
  DONE,
  recordKeyOf,
  refusal,
  type ConfigOutcome,
  type ConfigResource,
} from './resources'

/** Longest value that is taken, in characters: Kafka's records cannot hold a longer one. */
const VALUE_LENGTH_MAX = 32_767

/** Makes the new configs of a resource of the ones it has; `keyOf` finds what is known of a key. */
export type ConfigPlan = (
  before: Configs,
  keyOf: (name: string) => ConfigKey | undefined,
) => Configs

/**
 * Gives a resource new configs: planned, checked as a whole, then kept; in force when it resolves. Never rejects. With
 * `validateOnly` nothing is kept.
 */
export async function alterConfigs(
  broker: BrokerServices,
  resource: ConfigResource,
  plan: ConfigPlan,
  validateOnly: boolean,
): Promise<ConfigOutcome> {
  try {
    return resource.resourceType === ConfigResourceType.TOPIC
      ? await alterTopic(broker, resource, plan, validateOnly)
      : await alterRecords(broker, resource, plan, validateOnly)
  } catch (error) {
    const { errorCode, errorMessage } = wireFailureOf(error)
    return refusal(errorCode, errorMessage ?? errorText(errorCode) ?? '')
  }
}

async function alterTopic(
  broker: BrokerServices,
  { resourceName: name }: ConfigResource,
  plan: ConfigPlan,
  validateOnly: boolean,
): Promise<ConfigOutcome> {
  if (name === '') return refusal(ErrorCode.INVALID_REQUEST, 'there are no default topics')
  validateTopicName(name)
  const { controller, replicas } = broker
  const keyOf = keyFinder(logConfigDefinition)
  const before = controller.metadata().topics.get(name)?.configs ?? {}
  const refused = invalid(problemsOf(logConfigDefinition, plan(before, keyOf)))
  if (refused) return refused
  await controller.alterTopicConfigs({ name, plan: (now) => plan(now, keyOf), validateOnly })
  if (!validateOnly) await replicas.whenApplied(name)
  return DONE
}

async function alterRecords(
  broker: BrokerServices,
  resource: ConfigResource,
  plan: ConfigPlan,
  validateOnly: boolean,
): Promise<ConfigOutcome> {
  const key = recordKeyOf(resource)
  const kind = kindOf(resource, broker)
  if (typeof kind === 'string') return refusal(ErrorCode.INVALID_REQUEST, kind)
  const before = broker.metadata().records(recordKinds.configs).get(key) ?? {}
  const wanted = plan(before, kind.keyOf)
  const refused = invalid(kind.problemsOf(wanted), kind.errorCodeOf(wanted))
  if (refused || validateOnly) return refused ?? DONE
  await broker.controller.changeRecords(recordKinds.configs, (records) => {
    const after = plan(records.get(key) ?? {}, kind.keyOf)
    return new Map([[key, Object.keys(after).length === 0 ? null : after]])
  })
  await broker.replicas.whenAllApplied() // topics may have got other defaults
  return DONE
}

interface ResourceKind {
  readonly keyOf: (name: string) => ConfigKey | undefined
  readonly problemsOf: (configs: Configs) => string[]
  /** Of configs with problems: Kafka answers one thing for brokers, and another for the rest. */
  readonly errorCodeOf: (configs: Configs) => number
}

/** How configs of this resource are checked, or what is wrong with its name. */
function kindOf(resource: ConfigResource, broker: BrokerServices): ResourceKind | string {
  const { resourceType, resourceName } = resource
  if (resourceType === ConfigResourceType.BROKER) {
    const isDefault = resourceName === ''
    const wrongBroker = isDefault ? null : brokerNameProblem(resourceName, broker.nodeId)
    if (wrongBroker !== null) return wrongBroker
    return {
      keyOf: findBrokerKey,
      problemsOf: (configs) => broker.dynamicConfig.problemsOf(configs, isDefault),
      errorCodeOf: () => ErrorCode.INVALID_REQUEST,
    }
  }
  if (resourceName === '') return 'the resource must have a name'
  if (resourceType === ConfigResourceType.GROUP)
    return {
      keyOf: keyFinder(groupDefinition),
      problemsOf: (configs) => [
        ...problemsOf(groupDefinition, configs),
        ...groupProblems(configs, broker.dynamicConfig.current.given),
      ],
      errorCodeOf: () => ErrorCode.INVALID_CONFIG,
    }
  return {
    keyOf: keyFinder(clientMetricsDefinition),
    problemsOf: (configs) => problemsOf(clientMetricsDefinition, configs),
    errorCodeOf: clientMetricsErrorCode,
  }
}

/** Kafka's own checks (of names and of the interval's bounds) answer differently from its parser and from patterns. */
function clientMetricsErrorCode(configs: Configs): number {
  const { unknown, problems } = parseConfig(clientMetricsDefinition, configs)
  const isOutOfBounds = problems.some(
    ({ key, given }) => key === 'interval.ms' && /^\d+$/.test(given ?? ''),
  )
  return unknown.length > 0 || isOutOfBounds ? ErrorCode.INVALID_REQUEST : ErrorCode.INVALID_CONFIG
}

/** Null if the name is that of this broker. */
export function brokerNameProblem(name: string, nodeId: number): string | null {
  if (!/^[+-]?\d+$/.test(name)) return `the name of a broker is its number, not ${name}`
  return Number(name) === nodeId ? null : `this is broker ${nodeId}, not ${name}`
}

function problemsOf(definition: ConfigDefinition, configs: Configs): string[] {
  const { problems, unknown } = parseConfig(definition, configs)
  return [
    ...unknown.map((name) => `unknown config ${name}`),
    ...problems.map(
      ({ key, given, expected }) => `${key}=${given} is not valid: expected ${expected}`,
    ),
    ...Object.keys(configs)
      .filter((name) => configs[name].length > VALUE_LENGTH_MAX)
      .map((name) => `the value of ${name} is longer than ${VALUE_LENGTH_MAX}`),
  ]
}

function invalid(
  problems: readonly string[],
  errorCode: number = ErrorCode.INVALID_CONFIG,
): ConfigOutcome | null {
  return problems.length === 0 ? null : refusal(errorCode, problems.join('; '))
}

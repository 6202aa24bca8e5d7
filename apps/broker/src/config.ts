import {
  formatProblems,
  parseConfig,
  type ConfigOf,
  type ConfigProblem,
  type Properties,
} from '@millrace/config'
import {
  brokerSynonyms,
  logConfigDefinition,
  topicDefaultsOfBroker,
  type LogConfig,
} from '@millrace/log'
import { brokerConfigDefinition, keysWithoutEffect } from './config-keys'
import { brokerErrors } from './errors'
import { parseListeners, type Listener } from './listeners'

/** Everything that a start of the broker depends on, validated. */
export interface BrokerConfig {
  readonly values: ConfigOf<typeof brokerConfigDefinition>
  readonly listeners: readonly Listener[]
  /** What a topic gets that says nothing itself. */
  readonly logDefaults: LogConfig
  /** The properties as given, for DescribeConfigs: which keys somebody has set, and to what. */
  readonly given: Properties
  /** Keys nobody knows: to be warned of, not refused. */
  readonly unknownKeys: readonly string[]
}

/** Parses a server.properties map. @throws BROKER_CONFIG_INVALID with every problem at once. */
export function parseBrokerConfig(given: Properties): BrokerConfig {
  const broker = parseConfig(brokerConfigDefinition, given)
  const log = parseConfig(logConfigDefinition, topicDefaultsOfBroker(given))
  const listeners = parseListeners(broker.config)
  const problems = [
    ...broker.problems,
    ...log.problems.map((problem) => underBrokerKey(problem, given)),
    ...listeners.problems,
  ]
  if (broker.config.minSessionTimeoutMs > broker.config.maxSessionTimeoutMs)
    problems.push({
      key: 'group.min.session.timeout.ms',
      given: String(broker.config.minSessionTimeoutMs),
      expected: 'at most group.max.session.timeout.ms',
    })
  if (problems.length > 0)
    throw brokerErrors.create('BROKER_CONFIG_INVALID', { problems: formatProblems(problems) })
  return Object.freeze({
    values: broker.config,
    listeners: listeners.listeners,
    logDefaults: log.config,
    given,
    unknownKeys: broker.unknown.filter((key) => !isKnown(key)),
  })
}

const topicSynonyms = new Set(
  Object.values(brokerSynonyms).flatMap((synonyms) => synonyms.map(({ name }) => name)),
)

function isKnown(key: string): boolean {
  return topicSynonyms.has(key) || keysWithoutEffect.some((pattern) => pattern.test(key))
}

/** A bad topic default is named as the user wrote it: log.retention.hours, not retention.ms. */
function underBrokerKey(problem: ConfigProblem, given: Properties): ConfigProblem {
  const synonym = brokerSynonyms[problem.key]?.find(({ name }) => typeof given[name] === 'string')
  return synonym ? { ...problem, key: synonym.name, given: given[synonym.name] as string } : problem
}

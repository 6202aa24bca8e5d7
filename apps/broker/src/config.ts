import { errorMessage } from '@millrace/base'
import {
  formatProblems,
  parseConfig,
  type ConfigOf,
  type ConfigProblem,
  type Properties,
} from '@millrace/config'
import { groupConfigProblems } from '@millrace/coordinator'
import {
  brokerSynonyms,
  logConfigDefinition,
  topicDefaultsOfBroker,
  type LogConfig,
} from '@millrace/log'
import { brokerConfigDefinition } from './config-keys'
import { findBrokerKey, hasEffect, isKnownProperty } from './configs/broker-keys'
import { brokerErrors } from './errors'
import { parseListeners, type Listener } from './listeners'
import { parseIpOverrides } from './security/connection-limits'
import { bootstrapProblems } from './security/scram-bootstrap'

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
  const listeners = parseListeners(broker.config, given)
  const problems = [
    ...broker.problems,
    ...log.problems.map((problem) => underBrokerKey(problem, given)),
    ...listeners.problems,
    ...parseIpOverrides(broker.config.maxConnectionsPerIpOverrides).problems,
    ...groupConfigProblems(broker.config),
    ...bootstrapProblems(broker.config.scramBootstrapCredentials),
    ...problemsWithoutEffect(given),
  ]
  if (problems.length > 0)
    throw brokerErrors.create('BROKER_CONFIG_INVALID', { problems: formatProblems(problems) })
  return Object.freeze({
    values: broker.config,
    listeners: listeners.listeners,
    logDefaults: log.config,
    given,
    unknownKeys: broker.unknown.filter((key) => !isKnownProperty(key)),
  })
}

/** What is wrong with keys that nothing here reads: a typo in them must not pass for as long as that is so. */
function problemsWithoutEffect(given: Properties): ConfigProblem[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const key = findBrokerKey(name)
    if (!key || hasEffect(name) || typeof value !== 'string') return []
    try {
      key.parse(value)
      return []
    } catch (error) {
      const shown = key.type === 'PASSWORD' ? '[hidden]' : value
      return [{ key: name, given: shown, expected: errorMessage(error) }]
    }
  })
}

/** A bad topic default is named as the user wrote it: log.retention.hours, not retention.ms. */
function underBrokerKey(problem: ConfigProblem, given: Properties): ConfigProblem {
  const synonym = brokerSynonyms[problem.key]?.find(({ name }) => typeof given[name] === 'string')
  return synonym ? { ...problem, key: synonym.name, given: given[synonym.name] as string } : problem
}

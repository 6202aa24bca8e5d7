import {
  parseConfig,
  type ConfigDefinition,
  type ConfigKey,
  type ConfigType,
} from '@millrace/config'
import { brokerSynonyms, logConfigDefinition, topicDefaultsOfBroker } from '@millrace/log'
import type { BrokerConfig } from './config'
import { brokerConfigDefinition } from './config-keys'

/** Where a value comes from, as the protocol numbers it. */
const ConfigSource = { TOPIC: 1, STATIC_BROKER: 4, DEFAULT: 5 } as const

const TYPE_NUMBERS: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}

interface Synonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

/** One config as DescribeConfigs and CreateTopics tell it. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
  /** What the value could have come from, the strongest first. */
  readonly synonyms: Synonym[]
  readonly configType: number
  readonly documentation: string
}

/** Every config of a topic: its own, the broker's, Kafka's defaults. */
export function describeTopicConfigs(
  config: BrokerConfig,
  own: Readonly<Record<string, string>>,
): ConfigEntry[] {
  const definition: ConfigDefinition = logConfigDefinition
  const defaults = topicDefaultsOfBroker(config.given)
  const { config: values } = parseConfig(definition, { ...defaults, ...own })
  return Object.keys(definition).map((property) => {
    const key = definition[property]
    const ownText = own[key.name]
    const brokers = brokerSynonyms[key.name] ?? []
    const synonyms: Synonym[] = [
      ...(ownText === undefined
        ? []
        : [{ name: key.name, value: ownText, source: ConfigSource.TOPIC }]),
      ...brokers.flatMap(({ name }) => givenSynonym(config, name)),
      ...defaultSynonym(brokers[0]?.name ?? key.name, key),
    ]
    return entryOf(key, values[property], synonyms, false)
  })
}

/** Every config of this broker: its own keys, and those that set the defaults of topics. */
export function describeBrokerConfigs(config: BrokerConfig): ConfigEntry[] {
  const definition: ConfigDefinition = brokerConfigDefinition
  const values = config.values as Readonly<Record<string, unknown>>
  const own = Object.keys(definition).map((property) => {
    const key = definition[property]
    const names = [key.name, ...key.aliases]
    const synonyms = [
      ...names.flatMap((name) => givenSynonym(config, name)),
      ...defaultSynonym(key.name, key),
    ]
    return entryOf(key, values[property], synonyms, true)
  })
  return [...own, ...describeTopicDefaults(config)]
}

function describeTopicDefaults(config: BrokerConfig): ConfigEntry[] {
  const definition: ConfigDefinition = logConfigDefinition
  const values = config.logDefaults as Readonly<Record<string, unknown>>
  return Object.keys(definition).flatMap((property) => {
    const key = definition[property]
    const brokers = brokerSynonyms[key.name]
    if (!brokers) return []
    const synonyms = [
      ...brokers.flatMap(({ name }) => givenSynonym(config, name)),
      ...defaultSynonym(brokers[0].name, key),
    ]
    return [entryOf({ ...key, name: brokers[0].name }, values[property], synonyms, true)]
  })
}

function entryOf(
  key: ConfigKey,
  value: unknown,
  synonyms: Synonym[],
  readOnly: boolean,
): ConfigEntry {
  const isSensitive = key.type === 'PASSWORD'
  return {
    name: key.name,
    value: isSensitive || value === null || value === undefined ? null : key.format(value),
    readOnly,
    configSource: synonyms[0]?.source ?? ConfigSource.DEFAULT,
    isSensitive,
    synonyms: isSensitive ? synonyms.map((synonym) => ({ ...synonym, value: null })) : synonyms,
    configType: TYPE_NUMBERS[key.type],
    documentation: key.doc,
  }
}

function givenSynonym(config: BrokerConfig, name: string): Synonym[] {
  const value = config.given[name]
  return typeof value === 'string' ? [{ name, value, source: ConfigSource.STATIC_BROKER }] : []
}

function defaultSynonym(name: string, key: ConfigKey): Synonym[] {
  return key.default === null || key.default === undefined
    ? []
    : [{ name, value: key.format(key.default), source: ConfigSource.DEFAULT }]
}

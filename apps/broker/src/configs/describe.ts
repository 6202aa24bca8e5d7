import {
  parseConfig,
  type ConfigDefinition,
  type ConfigKey,
  type ConfigType,
  type Properties,
} from '@millrace/config'
import type { Configs } from '@millrace/controller'
import { brokerSynonyms, logConfigDefinition, topicDefaultsOfBroker } from '@millrace/log'
import { brokerKeys, findBrokerKey, listenerBaseName, namesOfSetting } from './broker-keys'
import { type ConfigLayers, merge } from './dynamic-config'
import { isDynamic } from './dynamic-keys'
import { internalKeys } from './keys-without-effect'

/** Where a value comes from, as the protocol numbers it. */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  DYNAMIC_BROKER_LOGGER: 6,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const

/** Of the authorizer, which is a plugin in Kafka: the broker does not know whether they are secrets. */
const authorizerKeys: ReadonlySet<string> = new Set([
  'allow.everyone.if.no.acl.found',
  'super.users',
])

const UNKNOWN_TYPE = 0
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
  readonly documentation: string | null
}

/** Every config of a topic: its own, the broker's, Kafka's defaults. */
export function describeTopicConfigs(layers: ConfigLayers, own: Configs): ConfigEntry[] {
  const definition: ConfigDefinition = logConfigDefinition
  const { given, clusterDefault, own: ownOfBroker } = layers
  const defaults = topicDefaultsOfBroker(merge(given, clusterDefault, ownOfBroker))
  const { config: values } = parseConfig(definition, { ...defaults, ...own })
  return Object.keys(definition).map((property) => {
    const key = definition[property]
    const primary = brokerSynonyms[key.name]?.[0]?.name
    const synonyms = [
      ...synonymOf(key.name, own, ConfigSource.TOPIC),
      ...(primary === undefined ? [] : synonymsOfBroker(primary, layers)),
    ]
    return entryOf(key, formatted(key, values[property]), synonyms)
  })
}

/** Every config of this broker: its own keys, those that set the defaults of topics, and what only a plugin would know. */
export function describeBrokerConfigs(layers: ConfigLayers): ConfigEntry[] {
  const properties = merge(layers.given, layers.clusterDefault, layers.own)
  const names = new Set([...brokerKeys.keys(), ...Object.keys(properties)])
  return Array.from(names)
    .filter((name) => typeof properties[name] === 'string' || !isHidden(name))
    .map((name) => describeBrokerConfig(name, properties[name], synonymsOfBroker(name, layers)))
}

/** What is set for all brokers. */
export function describeClusterDefaults(layers: ConfigLayers): ConfigEntry[] {
  const { clusterDefault } = layers
  return Object.keys(clusterDefault).map((name) => {
    const synonyms = synonymsOfBroker(name, layers).filter(
      ({ source }) => source === ConfigSource.DYNAMIC_DEFAULT_BROKER,
    )
    return describeBrokerConfig(name, clusterDefault[name], synonyms)
  })
}

/** Configs of a resource that has no broker behind it: its own, and the defaults of the definition. */
export function describeOwnConfigs(
  definition: ConfigDefinition,
  own: Configs,
  source: number,
): ConfigEntry[] {
  return Object.values<ConfigKey>(definition).map((key) => {
    const value = own[key.name] ?? formatted(key, key.default)
    return entryOf(key, value, synonymOf(key.name, own, source))
  })
}

/** Configs of a group: its own, and the broker's under `group.`. */
export function describeGroupConfigs(
  definition: ConfigDefinition,
  own: Configs,
  layers: ConfigLayers,
): ConfigEntry[] {
  const properties = merge(layers.given, layers.clusterDefault, layers.own)
  return Object.values<ConfigKey>(definition).map((key) => {
    const ofBroker = `group.${key.name}`
    const value = own[key.name] ?? properties[ofBroker] ?? formatted(key, key.default)
    const synonyms = [
      ...synonymOf(key.name, own, ConfigSource.GROUP),
      ...synonymsOfBroker(ofBroker, layers),
    ]
    return entryOf(key, value, synonyms)
  })
}

/** What is told only once somebody has set it. */
function isHidden(name: string): boolean {
  return internalKeys.has(name) || authorizerKeys.has(name)
}

/** A property that nobody knows may be a secret of a plugin: its value stays here, as that of a password. */
function describeBrokerConfig(
  name: string,
  given: string | null | undefined,
  synonyms: Synonym[],
): ConfigEntry {
  const readOnly = !isDynamic(name)
  const key = authorizerKeys.has(name) ? undefined : findBrokerKey(name)
  if (key) return { ...entryOf(key, valueInForce(key, given), synonyms), readOnly }
  return {
    name,
    value: null,
    readOnly,
    configSource: synonyms[0]?.source ?? ConfigSource.DEFAULT,
    isSensitive: true,
    synonyms: synonyms.map(hidden),
    configType: UNKNOWN_TYPE,
    documentation: null,
  }
}

function entryOf(key: ConfigKey, value: string | null, synonyms: Synonym[]): ConfigEntry {
  const isSensitive = key.type === 'PASSWORD'
  return {
    name: key.name,
    value: isSensitive ? null : value,
    readOnly: false,
    configSource: synonyms[0]?.source ?? ConfigSource.DEFAULT,
    isSensitive,
    synonyms: isSensitive ? synonyms.map(hidden) : synonyms,
    configType: TYPE_NUMBERS[key.type],
    documentation: key.doc,
  }
}

/**
 * Layer by layer, each under every name of the setting; as Kafka has it, from the first one with this very name on. So a
 * `log.retention.hours` that is given is no synonym of `log.retention.ms` unless that is given as well. A key of a listener
 * falls back on the key of the same name without it.
 */
function synonymsOfBroker(name: string, layers: ConfigLayers): Synonym[] {
  const base = listenerBaseName(name)
  const names = base === null ? namesOfSetting(name) : [name, ...namesOfSetting(base)]
  const inLayer = (layer: Properties, source: number): Synonym[] =>
    names.flatMap((each) => synonymOf(each, layer, source))
  const all = [
    ...inLayer(layers.own, ConfigSource.DYNAMIC_BROKER),
    ...inLayer(layers.clusterDefault, ConfigSource.DYNAMIC_DEFAULT_BROKER),
    ...inLayer(layers.given, ConfigSource.STATIC_BROKER),
    ...names.flatMap(defaultSynonym),
  ]
  const first = all.findIndex((synonym) => synonym.name === name)
  return first < 0 ? [] : all.slice(first)
}

function synonymOf(name: string, layer: Properties, source: number): Synonym[] {
  const value = layer[name]
  return typeof value === 'string' ? [{ name, value, source }] : []
}

function defaultSynonym(name: string): Synonym[] {
  const key = brokerKeys.get(name)
  const value = key && !authorizerKeys.has(name) ? formatted(key, key.default) : null
  return value === null ? [] : [{ name, value, source: ConfigSource.DEFAULT }]
}

function formatted(key: ConfigKey, value: unknown): string | null {
  return value === null || value === undefined ? null : key.format(value)
}

/** In the spelling of its type: `TRUE` is told as `true`. The synonyms show what was written. */
function valueInForce(key: ConfigKey, given: string | null | undefined): string | null {
  if (typeof given !== 'string') return formatted(key, key.default)
  try {
    return formatted(key, key.parse(given))
  } catch {
    return given // another key of the same setting stands before it, so that nobody has looked at this one
  }
}

function hidden(synonym: Synonym): Synonym {
  return { ...synonym, value: null }
}

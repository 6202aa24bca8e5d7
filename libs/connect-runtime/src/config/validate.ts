import { errorMessage } from '@millrace/base'
import type { ConnectorPlugin } from '@millrace/connect-api'
import {
  formatProblems,
  int,
  list,
  parseConfig,
  password,
  type ConfigDefinition,
  type ConfigKey,
  type ConfigProblem,
  type Properties,
} from '@millrace/config'
import {
  aliases,
  converterSource,
  predicateConfig,
  transformConfig,
  type ConverterRole,
} from '../pipeline/build'
import type { PluginRegistry } from '../plugins/registry'
import { resolvePlaceholders, type ConfigProvider } from './config-providers'
import { isOverride, refusalOf, refusedOverrides, type OverrideRules } from './override-policy'
import {
  commonConnectorConfig,
  sinkConnectorConfig,
  sourceConnectorConfig,
  topicsProblem,
  withPrefix,
} from './connector-config'

/** One key of a configuration with its value and what is wrong with it. */
export interface ValidatedKey {
  /** The whole key, `transforms.A.regex`. */
  readonly name: string
  readonly group: string
  readonly orderInGroup: number
  readonly definition: ConfigKey
  /** As given, with placeholders; the default if not given; hidden if it is a password. */
  readonly value: string | null
  readonly errors: readonly string[]
}

export interface Validation {
  /** Null if connector.class names no plugin. */
  readonly plugin: ConnectorPlugin | null
  readonly keys: readonly ValidatedKey[]
  readonly groups: readonly string[]
  readonly problems: readonly ConfigProblem[]
  /** Keys that nobody declares: accepted, and worth a line in the log. */
  readonly unknown: readonly string[]
}

export interface ValidateDeps {
  readonly registry: PluginRegistry
  readonly providers: ReadonlyMap<string, ConfigProvider>
  readonly workerProperties: Properties
  readonly overrideRules: OverrideRules
}

/** Some keys of a configuration that share a prefix and a definition. */
interface Section {
  readonly prefix: string
  readonly group: string | null
  readonly definition: ConfigDefinition
  readonly validate?: (config: never, properties: Properties) => readonly ConfigProblem[]
}

const topicCreationGroup = {
  include: list('include', { default: [], importance: 'LOW', doc: 'Patterns of topic names.' }),
  exclude: list('exclude', {
    default: [],
    importance: 'LOW',
    doc: 'Patterns of names to leave out.',
  }),
  partitions: int('partitions', { default: -1, min: -1, importance: 'LOW', doc: 'Partitions.' }),
  replicationFactor: int('replication.factor', {
    default: -1,
    min: -1,
    importance: 'LOW',
    doc: 'Replicas.',
  }),
}

/** Checks a whole connector configuration and reports every problem at once. Never throws for what is in it. */
export async function validateConnectorConfig(
  deps: ValidateDeps,
  properties: Properties,
): Promise<Validation> {
  const problems: ConfigProblem[] = []
  const resolved = await resolveEach(deps.providers, properties, problems)
  const plugin = await findConnector(deps.registry, resolved, problems)
  const sections = [
    ...connectorSections(plugin),
    ...converterSections(deps, resolved, problems),
    ...transformSections(deps.registry, resolved, problems),
    ...overrideSections(deps.overrideRules, properties, problems),
  ]
  for (const section of sections) problems.push(...checkSection(section, resolved))
  if (plugin?.type === 'sink') problems.push(...checkTopics(resolved))
  const distinct = withoutRepeats(problems)
  const keys = describeKeys(sections, properties, distinct)
  const groups = [...new Set(keys.map((key) => key.group))]
  return { plugin, keys, groups, problems: distinct, unknown: unknownKeys(keys, properties) }
}

/** All keys of a connector, also those that every connector has. */
export function describeConnector(plugin: ConnectorPlugin): readonly ValidatedKey[] {
  return describeKeys(connectorSections(plugin), {}, [])
}

/** The definition rows of one plugin alone, as GET /connector-plugins/<name>/config gives them. */
export function describeDefinition(definition: ConfigDefinition): readonly ValidatedKey[] {
  return describeKeys([{ prefix: '', group: null, definition }], {}, [])
}

async function resolveEach(
  providers: ReadonlyMap<string, ConfigProvider>,
  properties: Properties,
  problems: ConfigProblem[],
): Promise<Properties> {
  const resolved: Record<string, string> = {}
  for (const key of Object.keys(properties)) {
    try {
      Object.assign(resolved, await resolvePlaceholders(providers, { [key]: properties[key] }))
    } catch (error) {
      const given = properties[key] as string
      problems.push({ key, given, expected: errorMessage(error) })
    }
  }
  return resolved
}

async function findConnector(
  registry: PluginRegistry,
  properties: Properties,
  problems: ConfigProblem[],
): Promise<ConnectorPlugin | null> {
  const name = properties['connector.class']
  if (!name) return null // reported with the common keys
  const key = 'connector.class'
  if (registry.connectorEntry(name) === undefined) {
    const expected = `one of ${registry.connectorClassNames().join(', ')}`
    problems.push({ key, given: name, expected })
    return null
  }
  try {
    return await registry.connector(name)
  } catch (error) {
    problems.push({ key, given: name, expected: `a plugin that loads: ${errorMessage(error)}` })
    return null
  }
}

function connectorSections(plugin: ConnectorPlugin | null): readonly Section[] {
  const common: Section = { prefix: '', group: null, definition: commonConnectorConfig }
  if (plugin === null) return [common]
  return [
    common,
    {
      prefix: '',
      group: null,
      definition: plugin.type === 'source' ? sourceConnectorConfig : sinkConnectorConfig,
    },
    { prefix: '', group: plugin.name, definition: plugin.options, validate: plugin.validate },
  ]
}

function converterSections(
  deps: ValidateDeps,
  properties: Properties,
  problems: ConfigProblem[],
): readonly Section[] {
  const sections: Section[] = []
  for (const role of ['key.converter', 'value.converter', 'header.converter'] as ConverterRole[]) {
    if (!properties[role]) continue // the worker's converters were checked when it started
    const { name } = converterSource(role, properties, deps.workerProperties)
    const plugin =
      role === 'header.converter'
        ? deps.registry.headerConverter(name)
        : deps.registry.converter(name)
    if (plugin === undefined)
      problems.push({ key: role, given: name, expected: 'a converter class' })
    else sections.push({ prefix: `${role}.`, group: 'Common', definition: plugin.options })
  }
  return sections
}

function transformSections(
  registry: PluginRegistry,
  properties: Properties,
  problems: ConfigProblem[],
): readonly Section[] {
  const sections: Section[] = []
  const predicateAliases = aliases(properties.predicates)
  for (const alias of aliases(properties.transforms)) {
    const prefix = `transforms.${alias}.`
    const group = `Transforms: ${alias}`
    sections.push({ prefix, group, definition: transformConfig })
    const name = properties[`${prefix}type`]
    const plugin = name ? registry.transform(name) : undefined
    if (plugin) {
      const { options: definition, validate } = plugin
      sections.push({ prefix, group, definition, validate } as Section)
    } else if (name) {
      problems.push({ key: `${prefix}type`, given: name, expected: 'a transform class' })
    }
    const predicate = properties[`${prefix}predicate`]
    if (predicate && !predicateAliases.includes(predicate)) {
      const expected = 'an alias that predicates lists'
      problems.push({ key: `${prefix}predicate`, given: predicate, expected })
    }
  }
  for (const alias of predicateAliases) {
    const prefix = `predicates.${alias}.`
    const group = `Predicates: ${alias}`
    sections.push({ prefix, group, definition: predicateConfig })
    const name = properties[`${prefix}type`]
    const plugin = name ? registry.predicate(name) : undefined
    if (plugin) sections.push({ prefix, group, definition: plugin.options as ConfigDefinition })
    else if (name)
      problems.push({ key: `${prefix}type`, given: name, expected: 'a predicate class' })
  }
  for (const alias of aliases(properties['topic.creation.groups'])) {
    const prefix = `topic.creation.${alias}.`
    sections.push({ prefix, group: 'Topic Creation', definition: topicCreationGroup })
  }
  return sections
}

/** Only the client settings that the worker lets no connector set: the others are for the client to check. */
function overrideSections(
  rules: OverrideRules,
  properties: Properties,
  problems: ConfigProblem[],
): readonly Section[] {
  const refused = refusedOverrides(rules, properties)
  for (const key of refused) problems.push(refusalOf(key, rules))
  const keys = refused.map((key) => [key, password(key, { default: null, doc: 'Not allowed.' })])
  return [{ prefix: '', group: 'Client Overrides', definition: Object.fromEntries(keys) }]
}

function checkSection(section: Section, properties: Properties): readonly ConfigProblem[] {
  const own = withPrefix(properties, section.prefix)
  const { config, problems } = parseConfig(section.definition, own)
  const found = problems.length > 0 ? problems : runValidate(section, config, own)
  return found.map((problem) => ({ ...problem, key: section.prefix + problem.key }))
}

/** A plugin may declare a key that every connector has: its problem counts once. */
function withoutRepeats(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const seen = new Set<string>()
  return problems.filter(({ key, expected }) => {
    const id = `${key}\n${expected}`
    return !seen.has(id) && seen.add(id)
  })
}

function runValidate(
  section: Section,
  config: unknown,
  properties: Properties,
): readonly ConfigProblem[] {
  try {
    return section.validate?.(config as never, properties) ?? []
  } catch (error) {
    const expected = `a configuration that the plugin can check: ${errorMessage(error)}`
    return [{ key: 'connector.class', given: properties['connector.class'] ?? null, expected }]
  }
}

function checkTopics(properties: Properties): readonly ConfigProblem[] {
  const topics = aliases(properties.topics)
  const regex = properties['topics.regex'] ?? ''
  const found: ConfigProblem[] = []
  const expected = topicsProblem(topics, regex)
  if (expected !== null) found.push({ key: 'topics', given: properties.topics ?? null, expected })
  const deadLetters = properties['errors.deadletterqueue.topic.name']?.trim()
  if (deadLetters && topics.includes(deadLetters)) {
    const key = 'errors.deadletterqueue.topic.name'
    found.push({ key, given: deadLetters, expected: 'a topic that the connector does not read' })
  }
  return found
}

function describeKeys(
  sections: readonly Section[],
  properties: Properties,
  problems: readonly ConfigProblem[],
): readonly ValidatedKey[] {
  const keys: ValidatedKey[] = []
  const seen = new Set<string>()
  const countByGroup = new Map<string, number>()
  for (const { prefix, group: sectionGroup, definition } of sections) {
    for (const key of Object.values(definition)) {
      const name = prefix + key.name
      if (seen.has(name)) continue
      seen.add(name)
      const group = key.group ?? sectionGroup ?? 'Common'
      const orderInGroup = (countByGroup.get(group) ?? 0) + 1
      countByGroup.set(group, orderInGroup)
      const errors = problems
        .filter((problem) => problem.key === name || key.aliases.includes(problem.key))
        .map((problem) => formatProblems([problem]))
      keys.push({
        name,
        group,
        orderInGroup,
        definition: key,
        value: valueText(key, properties[name]),
        errors,
      })
    }
  }
  return keys
}

function valueText(key: ConfigKey, given: string | null | undefined): string | null {
  if (typeof given === 'string') return key.type === 'PASSWORD' ? '[hidden]' : given
  return key.default === undefined || key.default === null ? null : key.format(key.default)
}

function unknownKeys(keys: readonly ValidatedKey[], properties: Properties): readonly string[] {
  const known = new Set(keys.flatMap((key) => [key.name, ...key.definition.aliases]))
  return Object.keys(properties).filter((name) => !known.has(name) && !isOverride(name))
}

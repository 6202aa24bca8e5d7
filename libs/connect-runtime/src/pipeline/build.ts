import { ConfigurationError, type Converter, type HeaderConverter } from '@millrace/connect-api'
import {
  boolean,
  className,
  formatProblems,
  parseConfig,
  string,
  type ConfigDefinition,
  type ConfigOf,
  type Properties,
} from '@millrace/config'
import { withPrefix } from '../config/connector-config'
import { canonicalClassName, type PluginRegistry } from '../plugins/registry'
import type { Predicate } from './predicates'
import { TransformChain, type TransformStep } from './transform-chain'

/** Keys of every transform, beside those of its class. */
export const transformConfig = {
  type: className('type', { importance: 'HIGH', doc: 'Class of the transform.' }),
  predicate: string('predicate', {
    default: null,
    doc: 'Alias of the predicate that decides whether the transform applies to a record.',
  }),
  negate: boolean('negate', {
    default: false,
    doc: 'Whether the transform applies where the predicate does not hold.',
  }),
} as const

/** Keys of every predicate, beside those of its class. */
export const predicateConfig = {
  type: className('type', { importance: 'HIGH', doc: 'Class of the predicate.' }),
} as const

/** The converters of one task, with the names that errors show. */
export interface Converters {
  readonly key: Converter
  readonly value: Converter
  readonly header: HeaderConverter
  readonly keyName: string
  readonly valueName: string
  readonly headerName: string
}

export type ConverterRole = 'key.converter' | 'value.converter' | 'header.converter'

/** Which converter a connector uses and with which properties: its own, or else the worker's. */
export function converterSource(
  role: ConverterRole,
  properties: Properties,
  workerProperties: Properties,
): { readonly name: string; readonly properties: Properties } {
  const owner = properties[role] ? properties : workerProperties
  const fallback = role === 'header.converter' ? 'SimpleHeaderConverter' : ''
  return { name: owner[role] ?? fallback, properties: withPrefix(owner, `${role}.`) }
}

/** @throws ConfigurationError */
export function createConverters(
  registry: PluginRegistry,
  properties: Properties,
  workerProperties: Properties,
): Converters {
  const create = (role: 'key.converter' | 'value.converter') => {
    const source = converterSource(role, properties, workerProperties)
    const plugin = found(registry.converter(source.name), role, source.name)
    const config = parsed(plugin.options as ConfigDefinition, source.properties)
    return { converter: plugin.create(config, role === 'key.converter'), name: source.name }
  }
  const key = create('key.converter')
  const value = create('value.converter')
  const source = converterSource('header.converter', properties, workerProperties)
  const plugin = found(registry.headerConverter(source.name), 'header.converter', source.name)
  return {
    key: key.converter,
    value: value.converter,
    header: plugin.create(parsed(plugin.options as ConfigDefinition, source.properties)),
    keyName: key.name,
    valueName: value.name,
    headerName: source.name,
  }
}

/** The chain that `transforms` and `predicates` describe. @throws ConfigurationError */
export function createTransformChain(
  registry: PluginRegistry,
  properties: Properties,
): TransformChain {
  const predicates = new Map<string, Predicate>()
  for (const alias of aliases(properties.predicates)) {
    predicates.set(alias, createPredicate(registry, alias, properties))
  }
  return new TransformChain(
    aliases(properties.transforms).map((alias) =>
      createStep(registry, alias, properties, predicates),
    ),
  )
}

/** The elements of a comma-separated list of aliases. */
export function aliases(text: string | null | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function createPredicate(
  registry: PluginRegistry,
  alias: string,
  properties: Properties,
): Predicate {
  const own = withPrefix(properties, `predicates.${alias}.`)
  const { type } = parsed(predicateConfig, own)
  const plugin = found(registry.predicate(type), `predicates.${alias}.type`, type)
  return plugin.create(parsed(plugin.options as ConfigDefinition, own))
}

function createStep(
  registry: PluginRegistry,
  alias: string,
  properties: Properties,
  predicates: ReadonlyMap<string, Predicate>,
): TransformStep {
  const own = withPrefix(properties, `transforms.${alias}.`)
  const { type, predicate, negate } = parsed(transformConfig, own)
  const plugin = found(registry.transform(type), `transforms.${alias}.type`, type)
  const className = canonicalClassName(plugin, type)
  const config = parsed(plugin.options as ConfigDefinition, own)
  return {
    alias,
    className,
    transform: plugin.create(config, className),
    predicate:
      predicate === null
        ? null
        : found(predicates.get(predicate), `transforms.${alias}.predicate`, predicate),
    isNegated: negate,
  }
}

function parsed<const D extends ConfigDefinition>(
  definition: D,
  properties: Properties,
): ConfigOf<D> {
  const { config, problems } = parseConfig(definition, properties)
  if (problems.length > 0) throw new ConfigurationError(formatProblems(problems))
  return config
}

function found<T>(plugin: T | undefined, key: string, name: string): T {
  if (plugin === undefined) throw new ConfigurationError(`${key}: there is no ${name}`)
  return plugin
}

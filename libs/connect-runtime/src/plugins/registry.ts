import type {
  ConfigDefinition,
  ConnectorPlugin,
  ConverterPlugin,
  HeaderConverterPlugin,
  PluginLogger,
  TransformPlugin,
} from '@millrace/connect-api'
import { connectErrors } from '../errors'
import { predicates, type AnyPredicate } from '../pipeline/predicates'

// Plugins of different options share a list; each checks its own.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyTransform = TransformPlugin<any>
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyConverter = ConverterPlugin<any>
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyHeaderConverter = HeaderConverterPlugin<any>

/** What is known of a connector before its package is loaded. */
export interface ConnectorEntry {
  readonly name: string
  readonly classNames: readonly string[]
  readonly type: 'source' | 'sink'
  readonly version: string
  /** Loads the package on first use, so that a worker pays only for the drivers that it needs. */
  readonly load: () => Promise<ConnectorPlugin>
}

/** Plugins by kind, as the app lists them and as packages of `plugin.path` export them. */
export interface PluginSet {
  readonly connectors: readonly ConnectorEntry[]
  readonly transforms: readonly AnyTransform[]
  readonly converters: readonly AnyConverter[]
  readonly headerConverters: readonly AnyHeaderConverter[]
}

export type PluginType =
  | 'source'
  | 'sink'
  | 'converter'
  | 'header_converter'
  | 'transformation'
  | 'predicate'

export interface PluginDescription {
  readonly class: string
  readonly type: PluginType
  readonly version: string
}

interface Named {
  readonly name: string
  readonly classNames: readonly string[]
}

/**
 * Finds plugins by any of their names: a full class name of Kafka Connect, the class name without its package, that
 * name without its kind (`PostgresConnector` as `Postgres`), or our short name. The first plugin that has a name keeps it.
 */
export class PluginRegistry {
  readonly #sets: readonly PluginSet[]
  readonly #connectors: ReadonlyMap<string, ConnectorEntry>
  readonly #transforms: ReadonlyMap<string, AnyTransform>
  readonly #converters: ReadonlyMap<string, AnyConverter>
  readonly #headerConverters: ReadonlyMap<string, AnyHeaderConverter>
  readonly #predicates: ReadonlyMap<string, AnyPredicate>

  constructor(deps: { readonly logger: PluginLogger }, sets: readonly PluginSet[]) {
    const index = <P extends Named>(plugins: readonly P[], kind: string): ReadonlyMap<string, P> =>
      indexByName(plugins, kind, deps.logger)
    this.#sets = sets
    this.#connectors = index(
      sets.flatMap((set) => set.connectors),
      'Connector',
    )
    this.#transforms = index(
      sets.flatMap((set) => set.transforms),
      'Transformation',
    )
    this.#converters = index(
      sets.flatMap((set) => set.converters),
      'Converter',
    )
    this.#headerConverters = index(
      sets.flatMap((set) => set.headerConverters),
      'Converter',
    )
    this.#predicates = index(predicates, 'Predicate')
  }

  connectorEntry(name: string): ConnectorEntry | undefined {
    return this.#connectors.get(name)
  }
  transform(name: string): AnyTransform | undefined {
    return this.#transforms.get(name)
  }
  converter(name: string): AnyConverter | undefined {
    return this.#converters.get(name)
  }
  headerConverter(name: string): AnyHeaderConverter | undefined {
    return this.#headerConverters.get(name)
  }
  predicate(name: string): AnyPredicate | undefined {
    return this.#predicates.get(name)
  }

  /** @throws CONNECT_PLUGIN_NOT_FOUND, and what loading the package throws */
  async connector(name: string): Promise<ConnectorPlugin> {
    const entry = this.#connectors.get(name)
    if (entry === undefined) throw connectErrors.create('CONNECT_PLUGIN_NOT_FOUND', { name })
    return entry.load()
  }

  /** Names of all connector classes, for messages. */
  connectorClassNames(): readonly string[] {
    return [...new Set(this.#connectors.values())].map(className)
  }

  /** The options of any plugin. @throws CONNECT_PLUGIN_NOT_FOUND */
  async optionsOf(name: string): Promise<ConfigDefinition> {
    if (this.#connectors.has(name)) return (await this.connector(name)).options
    const plugin =
      this.converter(name) ??
      this.headerConverter(name) ??
      this.transform(name) ??
      this.predicate(name)
    if (plugin === undefined) throw connectErrors.create('CONNECT_PLUGIN_NOT_FOUND', { name })
    return plugin.options as ConfigDefinition
  }

  /** All plugins, a row per class name, as GET /connector-plugins gives them. */
  list(connectorsOnly: boolean): readonly PluginDescription[] {
    const connectors = [...new Set(this.#connectors.values())].map((entry) => ({
      class: className(entry),
      type: entry.type,
      version: entry.version,
    }))
    if (connectorsOnly) return connectors
    const rows = (plugins: readonly (Named & { version: string })[], type: PluginType) =>
      plugins.flatMap((plugin) =>
        plugin.classNames.map((name) => ({ class: name, type, version: plugin.version })),
      )
    return [
      ...connectors,
      ...this.#sets.flatMap((set) => rows(set.converters, 'converter')),
      ...this.#sets.flatMap((set) => rows(set.headerConverters, 'header_converter')),
      ...this.#sets.flatMap((set) => rows(set.transforms, 'transformation')),
      ...rows(predicates, 'predicate'),
    ]
  }
}

/** The full class name behind any name of a plugin, so that `InsertField$Key` still tells which half is meant. */
export function canonicalClassName(plugin: Named, name: string): string {
  return (
    plugin.classNames.find((candidate) => simpleName(candidate) === simpleName(name)) ??
    className(plugin)
  )
}

function className(plugin: Named): string {
  return plugin.classNames[0] ?? plugin.name
}

function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function indexByName<P extends Named>(
  plugins: readonly P[],
  kind: string,
  logger: PluginLogger,
): ReadonlyMap<string, P> {
  const index = new Map<string, P>()
  for (const plugin of plugins) {
    for (const name of namesOf(plugin, kind)) {
      const existing = index.get(name)
      if (existing === undefined) index.set(name, plugin)
      else if (existing !== plugin)
        logger.warn('two plugins have the same name', { name, kept: existing.name })
    }
  }
  return index
}

function namesOf(plugin: Named, kind: string): ReadonlySet<string> {
  const simple = plugin.classNames.map(simpleName)
  const bare = simple
    .filter((name) => name.endsWith(kind))
    .map((name) => name.slice(0, -kind.length))
  return new Set([...plugin.classNames, ...simple, ...bare, plugin.name])
}

import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { errorMessage, type Disk } from '@millrace/base'
import type { ConnectorPlugin } from '@millrace/connect-api'
import type { Logger } from '@millrace/telemetry'
import { connectErrors } from '../errors'
import type { ConnectorEntry, PluginSet } from './registry'

/**
 * Loads the packages of `plugin.path`: each subfolder with a package.json is a package whose main module exports any of
 * `plugins` (connectors), `transforms`, `converters` and `headerConverters`. CommonJS and ES modules both work.
 * @throws CONNECT_PLUGIN_LOAD for a package that cannot be loaded or exports none of them
 */
export async function loadPluginPath(
  deps: { readonly disk: Pick<Disk, 'list' | 'readFile'>; readonly logger: Logger },
  paths: readonly string[],
): Promise<readonly PluginSet[]> {
  const sets: PluginSet[] = []
  for (const path of paths) {
    const names = await deps.disk.list(resolve(path))
    if (names.length === 0)
      deps.logger.warn('a folder of plugin.path is empty or missing', { path: resolve(path) })
    for (const name of names) {
      const directory = join(resolve(path), name)
      const manifest = await readManifest(deps.disk, directory)
      if (manifest !== null) sets.push(loadPackage(directory))
    }
  }
  return sets
}

/** Null for what is no package: a file, or a folder without a package.json. */
async function readManifest(
  disk: Pick<Disk, 'readFile'>,
  directory: string,
): Promise<Buffer | null> {
  try {
    return await disk.readFile(join(directory, 'package.json'))
  } catch {
    return null
  }
}

function loadPackage(directory: string): PluginSet {
  let exported: Partial<Record<keyof PluginSet | 'plugins', readonly unknown[]>>
  try {
    exported = createRequire(join(directory, 'package.json'))(directory) as typeof exported
  } catch (cause) {
    const reason = errorMessage(cause)
    throw connectErrors.create('CONNECT_PLUGIN_LOAD', { directory, reason }, { cause })
  }
  const connectors = listOf<ConnectorPlugin>(exported.plugins).map(entryOf)
  const set: PluginSet = {
    connectors,
    transforms: listOf(exported.transforms),
    converters: listOf(exported.converters),
    headerConverters: listOf(exported.headerConverters),
  }
  if (Object.values(set).every((plugins) => plugins.length === 0)) {
    const reason = 'it exports none of plugins, transforms, converters, headerConverters'
    throw connectErrors.create('CONNECT_PLUGIN_LOAD', { directory, reason })
  }
  return set
}

/** A connector that is loaded already as an entry of the registry. */
export function entryOf(plugin: ConnectorPlugin): ConnectorEntry {
  const { name, classNames, type, version } = plugin
  return { name, classNames, type, version, load: async () => plugin }
}

function listOf<T>(value: readonly unknown[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : []
}

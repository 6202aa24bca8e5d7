import { errorMessage, type Disk } from '@millrace/base'
import { parsePropertiesFile, type Properties } from '@millrace/config'
import { connectErrors } from '../errors'
import { withPrefix } from './connector-config'

/** Looks up one value: `path` and `key` are the parts of `${provider:path:key}`. @throws Error that says why not */
export type ConfigProvider = (path: string, key: string) => Promise<string>

export interface ConfigProviderDeps {
  readonly disk: Pick<Disk, 'readFile'>
  /** The environment of the process, as the app read it at start. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

type ProviderFactory = (deps: ConfigProviderDeps, parameters: Properties) => ConfigProvider

const PROVIDERS: readonly {
  readonly names: readonly string[]
  readonly create: ProviderFactory
}[] = [
  {
    names: [
      'env',
      'EnvVarConfigProvider',
      'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
    ],
    create: environmentProvider,
  },
  {
    names: [
      'file',
      'FileConfigProvider',
      'org.apache.kafka.common.config.provider.FileConfigProvider',
    ],
    create: fileProvider,
  },
]

/**
 * The providers of a worker: `env` and `file` are always there; `config.providers` may add others under names of its
 * own. @throws Error naming a class that there is none of
 */
export function createConfigProviders(
  deps: ConfigProviderDeps,
  workerProperties: Properties,
  names: readonly string[],
): ReadonlyMap<string, ConfigProvider> {
  const providers = new Map<string, ConfigProvider>([
    ['env', environmentProvider(deps, {})],
    ['file', fileProvider(deps, {})],
  ])
  for (const name of names) {
    const className = workerProperties[`config.providers.${name}.class`] ?? name
    const found = PROVIDERS.find((provider) => provider.names.includes(className))
    if (!found) {
      throw connectErrors.create('CONNECT_PLACEHOLDER', {
        placeholder: `\${${name}:}`,
        reason: `there is no config provider class ${className}`,
      })
    }
    const parameters = withPrefix(workerProperties, `config.providers.${name}.param.`)
    providers.set(name, found.create(deps, parameters))
  }
  return providers
}

const PLACEHOLDER = /\$\{([^}:]*):(?:([^}]*?):)?([^}:]*)\}/g

/** Whether a text holds something that looks like a placeholder. */
export function hasPlaceholder(text: string): boolean {
  return text.search(PLACEHOLDER) >= 0
}

/**
 * The properties with every placeholder of a known provider replaced: `${env:VAR}`, `${env::VAR}`, `${file:/path:key}`.
 * Text of an unknown provider stays as it is, as in Connect. What comes in by a placeholder is not searched again.
 * @throws CONNECT_PLACEHOLDER
 */
export async function resolvePlaceholders(
  providers: ReadonlyMap<string, ConfigProvider>,
  properties: Properties,
): Promise<Record<string, string>> {
  const resolved: Record<string, string> = {}
  for (const key of Object.keys(properties)) {
    const text = properties[key]
    if (typeof text === 'string') resolved[key] = await resolveText(providers, text)
  }
  return resolved
}

async function resolveText(
  providers: ReadonlyMap<string, ConfigProvider>,
  text: string,
): Promise<string> {
  if (!text.includes('${')) return text
  let resolved = ''
  let copied = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    const provider = providers.get(match[1])
    if (provider === undefined) continue
    resolved += text.slice(copied, match.index)
    copied = match.index + match[0].length
    try {
      resolved += await provider(match[2] ?? '', match[3])
    } catch (cause) {
      const reason = errorMessage(cause)
      const placeholder = match[0]
      throw connectErrors.create('CONNECT_PLACEHOLDER', { placeholder, reason }, { cause })
    }
  }
  return resolved + text.slice(copied)
}

function environmentProvider(deps: ConfigProviderDeps, parameters: Properties): ConfigProvider {
  const allowed = parameters['allowlist.pattern']
  const pattern = typeof allowed === 'string' ? new RegExp(`^(?:${allowed})$`) : null
  return async (_path, key) => {
    if (pattern !== null && !pattern.test(key))
      throw new Error('allowlist.pattern does not allow it')
    const value = deps.environment[key]
    if (value === undefined) throw new Error('the variable is not set')
    return value
  }
}

function fileProvider(deps: ConfigProviderDeps, parameters: Properties): ConfigProvider {
  const allowed = parameters['allowed.paths']
    ?.split(',')
    .map((path) => path.trim().replace(/\/+$/, ''))
  return async (path, key) => {
    const isAllowed = allowed?.some((root) => path === root || path.startsWith(`${root}/`)) ?? true
    if (!isAllowed || path.split('/').includes('..'))
      throw new Error('allowed.paths does not allow it')
    const content = await deps.disk.readFile(path)
    if (content === null) throw new Error('the file does not exist')
    const value = parsePropertiesFile(content.toString('utf8'))[key]
    if (value === undefined) throw new Error('the file has no such key')
    return value
  }
}

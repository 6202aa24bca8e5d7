import { readFileSync } from 'node:fs'
import { errorMessage } from '@millrace/base'
import { parsePropertiesFile } from '@millrace/config'
import { parseOverrides } from './command'
import { cliErrors } from './errors'

/** The properties of `--config FILE` with the `-o key=value` overrides on top. @throws PlatformError CLI_* */
export function readProperties(
  commandName: string,
  configPath: string | undefined,
  overrides: readonly string[],
): Record<string, string> {
  const fromFile = configPath === undefined ? {} : parsePropertiesFile(readConfigFile(configPath))
  return { ...fromFile, ...parseOverrides(commandName, '-o', overrides) }
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw cliErrors.create(
      'CLI_FILE_UNREADABLE',
      { path, reason: errorMessage(error) },
      { cause: error },
    )
  }
}

/** The options that every command which takes a properties file has. */
export const configOptions = {
  config: { type: 'string', value: 'FILE', doc: 'A properties file.' },
  override: {
    type: 'list',
    short: 'o',
    value: 'KEY=VALUE',
    doc: 'Set a key on top of the file; may be repeated.',
  },
} as const

import type { ConfigDefinition, ConfigKey } from '@millrace/config'
import type { Configs } from '@millrace/controller'
import { ErrorCode, protocolError } from '@millrace/wire'

/** Operations in the order of their numbers in the protocol. */
const OPERATIONS = ['set', 'delete', 'append', 'subtract'] as const
export type ConfigOperation = (typeof OPERATIONS)[number]

export interface ConfigChange {
  readonly name: string
  readonly operation: ConfigOperation
  /** Only a deletion may have none. */
  readonly value: string | null
}

export function operationOf(number: number): ConfigOperation | undefined {
  return OPERATIONS[number]
}

/**
 * The configs of a resource after the changes. Lists grow and shrink from what is set, or from the default.
 * @throws the wire's INVALID_CONFIG where something is to be added to a value that is no list
 */
export function applyChanges(
  before: Configs,
  changes: readonly ConfigChange[],
  keyOf: (name: string) => ConfigKey | undefined,
): Configs {
  const after: Record<string, string> = { ...before }
  for (const { name, operation, value } of changes) {
    if (operation === 'delete') delete after[name]
    else if (operation === 'set') after[name] = value ?? ''
    else after[name] = changedList(after[name], { name, operation, value }, keyOf(name))
  }
  return after
}

/** Finds a key by the name that users write. */
export function keyFinder(definition: ConfigDefinition): (name: string) => ConfigKey | undefined {
  const keys = Object.values<ConfigKey>(definition)
  return (name) => keys.find((key) => key.name === name)
}

function changedList(
  before: string | undefined,
  { name, operation, value }: ConfigChange,
  key: ConfigKey | undefined,
): string {
  if (key?.type !== 'LIST')
    throw protocolError(ErrorCode.INVALID_CONFIG, `${name} is no list: nothing to ${operation}`)
  const current = split(before ?? (key.default === null ? '' : key.format(key.default)))
  const given = split(value ?? '')
  const changed =
    operation === 'append'
      ? [...current, ...given.filter((each) => !current.includes(each))]
      : current.filter((each) => !given.includes(each))
  return changed.join(',')
}

function split(text: string): string[] {
  return text === '' ? [] : text.split(',').map((part) => part.trim())
}

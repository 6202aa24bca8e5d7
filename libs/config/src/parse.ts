import { errorMessage } from '@millrace/base'
import type { ConfigDefinition, ConfigKey, ConfigOf } from './definition'

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  readonly key: string
  /** The text that was given, null if the key is missing; `[hidden]` for a password. */
  readonly given: string | null
  readonly expected: string
}

export interface ParsedConfig<D extends ConfigDefinition> {
  /** Complete only if there are no problems; a bad value stands at its default (undefined if it has none). */
  readonly config: ConfigOf<D>
  /** Every problem, not just the first. */
  readonly problems: readonly ConfigProblem[]
  /** Keys that the definition does not know. */
  readonly unknown: readonly string[]
}

export type Properties = Readonly<Record<string, string | null | undefined>>

/** Parses text values against a definition. Never throws: it reports all problems at once. */
export function parseConfig<const D extends ConfigDefinition>(
  definition: D,
  properties: Properties,
): ParsedConfig<D> {
  const config: Record<string, unknown> = {}
  const problems: ConfigProblem[] = []
  const known = new Set<string>()
  for (const property of Object.keys(definition)) {
    const key = definition[property]
    for (const name of [key.name, ...key.aliases]) known.add(name)
    config[property] = parseKey(key, properties, problems)
  }
  const unknown = Object.keys(properties).filter((name) => !known.has(name))
  return { config: Object.freeze(config) as ConfigOf<D>, problems, unknown }
}

/** The problems as one text, a line each: key, given value, what was expected. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ key, given, expected }) =>
      given === null
        ? `${key} is required (${expected})`
        : `${key}=${given} is not valid: expected ${expected}`,
    )
    .join('\n')
}

function parseKey(
  key: ConfigKey<unknown>,
  properties: Properties,
  problems: ConfigProblem[],
): unknown {
  const name = [key.name, ...key.aliases].find(
    (candidate) => typeof properties[candidate] === 'string',
  )
  if (name === undefined) {
    if (key.default === undefined) problems.push({ key: key.name, given: null, expected: key.doc })
    return key.default
  }
  const text = properties[name] as string
  try {
    return key.parse(text)
  } catch (error) {
    problems.push({
      key: name,
      given: key.type === 'PASSWORD' ? '[hidden]' : text,
      expected: errorMessage(error),
    })
    return key.default
  }
}

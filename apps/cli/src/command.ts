import { parseArgs, type ParseArgsConfig } from 'node:util'
import { errorMessage } from '@millrace/base'
import { cliErrors } from './errors'

export interface CommandOption {
  /** `string` takes a value, `list` may be given several times. */
  readonly type: 'string' | 'port' | 'list' | 'boolean'
  readonly short?: string
  /** Name of the value in the help text. */
  readonly value?: string
  readonly default?: string
  readonly doc: string
}
export type CommandOptions = Readonly<Record<string, CommandOption>>

type ValueOf<O extends CommandOption> = O['type'] extends 'list'
  ? readonly string[]
  : O['type'] extends 'boolean'
    ? boolean
    : O['type'] extends 'port'
      ? O extends { default: string }
        ? number
        : number | undefined
      : O extends { default: string }
        ? string
        : string | undefined
export type Arguments<O extends CommandOptions> = { readonly [K in keyof O]: ValueOf<O[K]> }

export interface Command<O extends CommandOptions = CommandOptions> {
  readonly name: string
  readonly description: string
  readonly options: O
  readonly run: (args: Arguments<O>) => Promise<void>
}

/** Declares a command, keeping the types of its options. */
export function command<const O extends CommandOptions>(spec: Command<O>): Command {
  return spec as unknown as Command
}

/** @throws PlatformError CLI_USAGE naming every argument that is wrong */
export function parseArguments(spec: Command, argv: readonly string[]): Arguments<CommandOptions> {
  const problems: string[] = []
  const values = readValues(spec, argv)
  const args: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(spec.options)) {
    const given = values[name]
    if (option.type === 'list') args[name] = given ?? []
    else if (option.type === 'boolean') args[name] = given === true
    else if (option.type === 'port')
      args[name] = parsePort(name, (given as string | undefined) ?? option.default, problems)
    else args[name] = given ?? option.default
  }
  if (problems.length > 0) throw usage(spec, problems.join('; '))
  return args as Arguments<CommandOptions>
}

/** The text of `millrace <command> --help`. */
export function commandHelp(spec: Command): string {
  const rows = Object.entries(spec.options).map(([name, option]) => {
    const short = option.short ? `-${option.short}, ` : '    '
    const value =
      option.type === 'boolean'
        ? ''
        : ` ${option.value ?? (option.type === 'port' ? 'PORT' : 'VALUE')}`
    return [
      `  ${short}--${name}${value}`,
      option.default ? `${option.doc} [${option.default}]` : option.doc,
    ] as const
  })
  rows.push(['  -h, --help', 'Show this text.'])
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  const lines = rows.map(([left, right]) => left.padEnd(width) + right)
  return `Usage: millrace ${spec.name} [options]\n\n${spec.description}\n\nOptions:\n${lines.join('\n')}\n`
}

/** The `key=value` pairs of a repeated option such as `-o`. @throws PlatformError CLI_USAGE */
export function parseOverrides(
  commandName: string,
  flag: string,
  pairs: readonly string[],
): Record<string, string> {
  const overrides: Record<string, string> = {}
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals < 1) {
      throw cliErrors.create('CLI_USAGE', {
        problem: `${flag} ${pair} is not of the form key=value`,
        command: commandName,
      })
    }
    overrides[pair.slice(0, equals).trim()] = pair.slice(equals + 1).trim()
  }
  return overrides
}

function readValues(spec: Command, argv: readonly string[]): Record<string, unknown> {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const [name, option] of Object.entries(spec.options)) {
    options[name] = {
      type: option.type === 'boolean' ? 'boolean' : 'string',
      multiple: option.type === 'list',
      ...(option.short && { short: option.short }),
    }
  }
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw usage(spec, errorMessage(error).split(/\.\s/)[0])
  }
}

function parsePort(
  name: string,
  given: string | undefined,
  problems: string[],
): number | undefined {
  if (given === undefined) return undefined
  const port = Number(given)
  if (/^\d+$/.test(given) && port <= 65_535) return port
  problems.push(`--${name} ${given} is not a port (0 to 65535; 0 chooses a free one)`)
  return undefined
}

function usage(spec: Command, problem: string) {
  return cliErrors.create('CLI_USAGE', { problem, command: spec.name })
}

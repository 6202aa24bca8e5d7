import { errorMessage, PlatformError } from '@millrace/base'
import { type Command, commandHelp, parseArguments } from './command'
import { holdYoungGeneration } from './young-generation'

interface CommandEntry {
  readonly summary: string
  /** Loads the command alone: a broker needs no worker in memory. */
  readonly load: () => Promise<Command>
}

/** Every command, in the order of the help text. */
const commands: Readonly<Record<string, CommandEntry>> = {
  start: {
    summary: 'Run broker, Connect worker and admin in one process.',
    load: async () => (await import('./commands/start')).startCommand,
  },
  broker: {
    summary: 'Run a broker alone, from a Kafka server.properties.',
    load: async () => (await import('./commands/broker')).brokerCommand,
  },
  worker: {
    summary: 'Run a Connect worker alone, against any Kafka-compatible cluster.',
    load: async () => (await import('./commands/worker')).workerCommand,
  },
  admin: {
    summary: 'Run the admin page and its API alone, for any cluster and Connect worker.',
    load: async () => (await import('./commands/admin')).adminCommand,
  },
}

/** The entry point of the `millrace` program. Failures are one line on stderr and exit code 1. */
export async function main(argv: readonly string[]): Promise<void> {
  holdYoungGeneration()
  try {
    await dispatch(argv)
  } catch (error) {
    process.stderr.write(`millrace: ${describeFailure(error)}\n`)
    process.exit(1)
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<void> {
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`)
    return
  }
  if (name === undefined || HELP_WORDS.has(name)) {
    const about = rest[0]
    process.stdout.write(about === undefined ? overview() : commandHelp(await load(about)))
    return
  }
  const command = await load(name)
  if (rest.includes('--help') || rest.includes('-h')) process.stdout.write(commandHelp(command))
  else await command.run(parseArguments(command, rest))
}

const HELP_WORDS: ReadonlySet<string> = new Set(['help', '--help', '-h'])

/** @throws TypeError naming the commands that there are */
function load(name: string): Promise<Command> {
  if (Object.hasOwn(commands, name)) return commands[name].load()
  const known = Object.keys(commands).join(', ')
  throw new TypeError(`there is no command '${name}'; it is one of ${known} (see millrace --help)`)
}

function overview(): string {
  const rows = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(10)}${summary}`,
  )
  return (
    'Millrace: a Kafka-compatible log and Connect platform in one process.\n\n' +
    `Usage: millrace <command> [options]\n\nCommands:\n${rows.join('\n')}\n\n` +
    'Run millrace <command> --help for the options of a command, millrace --version for the version.\n'
  )
}

function version(): string {
  return (require('../package.json') as { version: string }).version
}

/** One line: what was tried, and what to do. */
function describeFailure(error: unknown): string {
  const message = errorMessage(error).trim()
  const line = error instanceof PlatformError && error.todo ? `${message}; ${error.todo}` : message
  return line.replace(/:\s*\n\s*/g, ': ').replace(/\s*\n\s*/g, '; ')
}

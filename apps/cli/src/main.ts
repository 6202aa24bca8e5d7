import { errorMessage, PlatformError } from '@millrace/base'
import { type Command, commandHelp, parseArguments } from './command'
import { adminCommand } from './commands/admin'
import { brokerCommand } from './commands/broker'
import { startCommand } from './commands/start'
import { workerCommand } from './commands/worker'

/** Every command, in the order of the help text. */
const commands: readonly Command[] = [startCommand, brokerCommand, workerCommand, adminCommand]

/** The entry point of the `millrace` program. Failures are one line on stderr and exit code 1. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await dispatch(argv)
  } catch (error) {
    process.stderr.write(`millrace: ${describeFailure(error)}\n`)
    process.exit(1)
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const named =
      name === 'help' ? commands.find((candidate) => candidate.name === rest[0]) : undefined
    process.stdout.write(named ? commandHelp(named) : overview())
    return
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`)
    return
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (!command) {
    const known = commands.map((candidate) => candidate.name).join(', ')
    throw new TypeError(
      `there is no command '${name}'; it is one of ${known} (see millrace --help)`,
    )
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(commandHelp(command))
    return
  }
  await command.run(parseArguments(command, rest))
}

function overview(): string {
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')
  return (
    'Millrace: a Kafka-compatible log and Connect platform in one process.\n\n' +
    `Usage: millrace <command> [options]\n\nCommands:\n${rows}\n\n` +
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

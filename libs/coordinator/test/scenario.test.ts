import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ScenarioRunner } from './support/scenario-runner'

/**
 * Each file is a story: a command, `----`, what must be seen; blank lines and `#` comments between. A first line
 * `config key=value ...` sets broker configs. UPDATE_SCENARIOS=1 records what is seen: review the difference.
 */
const directory = join(__dirname, 'scenario')
const isUpdate = process.env.UPDATE_SCENARIOS === '1'

describe('group scenarios', () => {
  it.each(readdirSync(directory).sort())('%s goes as written', async (name) => {
    const file = join(directory, name)
    const written = readFileSync(file, 'utf8')
    const played = await play(written)
    if (isUpdate) writeFileSync(file, played)
    expect(played).toBe(isUpdate ? played : written)
  })
})

async function play(text: string): Promise<string> {
  const output: string[] = []
  let runner: ScenarioRunner | null = null
  for (const block of text.trimEnd().split(/\n\n+/)) {
    const lines = block.split('\n')
    const comments = lines.filter((line) => line.startsWith('#'))
    const command = lines.find((line) => !line.startsWith('#'))
    if (command?.startsWith('config ')) {
      const options = command
        .split(' ')
        .slice(1)
        .map((word) => word.split('='))
      runner = await ScenarioRunner.open(Object.fromEntries(options) as Record<string, string>)
      output.push([...comments, command].join('\n'))
    } else if (command === undefined) {
      output.push(comments.join('\n'))
    } else {
      runner ??= await ScenarioRunner.open({})
      output.push([...comments, command, '----', await runner.run(command)].join('\n'))
    }
  }
  return `${output.join('\n\n')}\n`
}

import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Millrace } from '../../../examples/postgres-to-s3/millrace'
import { CleanUps, fourPorts, rest, runToTheEnd, untilTask } from './harness'
import { eventually } from '../wait'

jest.setTimeout(30_000)

const cleanUps = new CleanUps()
afterEach(() => cleanUps.run())

const ANY_PORTS = ['kafka', 'connect', 'registry', 'admin'].flatMap((name) => [
  `--${name}-port`,
  '0',
])

/** Exit code 1, nothing on stdout, and one line on stderr. Logs below `error` are switched off: they are no failure. */
async function expectOneLine(args: readonly string[], line: RegExp): Promise<void> {
  const { code, stdout, stderr } = await runToTheEnd(...args)
  expect(stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(stderr).toMatch(line)
  expect(stdout).toBe('')
  expect(code).toBe(1)
}

/** `millrace start` on any ports; later arguments win. */
const start = (directory: string, ...args: readonly string[]) => [
  'start',
  '--data-dir',
  directory,
  ...ANY_PORTS,
  '--log-level',
  'error',
  ...args,
]

async function occupiedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.add(() => server.close())
  return (server.address() as { port: number }).port
}

describe('a start that cannot be is told in one line with exit code 1', () => {
  it.each(['kafka', 'connect', 'registry', 'admin'])('when the %s port is in use', async (name) => {
    const port = await occupiedPort()
    const args = start(cleanUps.directory(), `--${name}-port`, String(port))
    await expectOneLine(args, new RegExp(`127\\.0\\.0\\.1:${port}\\b`))
  })

  it('when the data directory cannot be made', async () => {
    const file = join(cleanUps.directory(), 'a-file')
    writeFileSync(file, '')
    await expectOneLine(start(join(file, 'data')), new RegExp(join(file, 'data')))
  })

  it('when the data directory cannot be written', async () => {
    const isRoot = process.getuid?.() === 0
    const parent = isRoot ? '/sys' : cleanUps.directory() // root may write everywhere but there
    if (!isRoot) chmodSync(parent, 0o555)
    const directory = join(parent, 'millrace-data')
    await expectOneLine(start(directory), new RegExp(directory))
  })

  it('when another process runs on the data directory, which goes on undisturbed', async () => {
    const directory = cleanUps.directory()
    const first = await Millrace.start(directory)
    cleanUps.add(() => first.stop())
    await expectOneLine(start(directory), new RegExp(`${directory}.*another`))
    expect((await rest(first, 'GET', '/health')).status).toBe(200)
  })

  it('when the properties file is missing, or wrong in several keys', async () => {
    const directory = cleanUps.directory()
    const file = join(directory, 'server.properties')
    await expectOneLine(['broker', '--config', file], new RegExp(`${file}.*ENOENT`))
    writeFileSync(file, `log.dirs=${directory}\nnum.partitions=many\nlog.segment.bytes=-1\n`)
    await expectOneLine(['broker', '--config', file], /num\.partitions.*log\.segment\.bytes/)
    await expectOneLine(['worker', '--config', file], /bootstrap\.servers.*group\.id/)
  })

  it('when a converter of the worker is unknown', async () => {
    const args = start(cleanUps.directory(), '-w', 'value.converter=org.example.NoConverter')
    await expectOneLine(args, /org\.example\.NoConverter/)
  })

  it('when a plugin cannot be loaded', async () => {
    const folder = cleanUps.directory()
    mkdirSync(join(folder, 'broken'))
    writeFileSync(join(folder, 'broken/package.json'), '{"main": "main.js"}')
    writeFileSync(join(folder, 'broken/main.js'), 'throw new Error("no driver")')
    const args = start(cleanUps.directory(), '-w', `plugin.path=${folder}`)
    await expectOneLine(args, new RegExp(`${folder}/broken.*no driver`))
  })

  it.each([
    ['a command that does not exist', ['begin'], /'begin'.*start, broker, worker, admin/],
    ['an option that does not exist', ['start', '--fast'], /--fast.*start --help/],
    ['an argument too many', ['start', 'now'], /now.*start --help/],
    ['a port that is none', ['start', '--kafka-port', '99999'], /--kafka-port 99999/],
    ['an override without a value', ['start', '-o', 'num.partitions'], /-o num\.partitions/],
    ['an override that is wrong', ['start', '-o', 'num.partitions=x'], /num\.partitions.*x/],
    ['a worker override that is wrong', ['start', '-w', 'rest.port=-2'], /rest\.port.*-2/],
    ['a level of the log that is none', ['start', '--log-level', 'loud'], /loud.*debug, info/],
  ])('for %s', async (_, [command, ...args], line) => {
    const isStart = command === 'start'
    await expectOneLine(isStart ? start(cleanUps.directory(), ...args) : [command, ...args], line)
  })
})

// It grew by 32 MB per thread: what a start allocates stays, which V8 takes for a need of more room.
it('holds less than 200 MB when it has started', async () => {
  const millrace = await Millrace.start(cleanUps.directory())
  cleanUps.add(() => millrace.stop())
  expect(millrace.peakRssMb()).toBeLessThan(200)
})

describe('a clean shutdown', () => {
  it('by SIGTERM exits with 0, and the next start recovers nothing and goes on with the connectors', async () => {
    const directory = cleanUps.directory()
    const input = join(directory, 'input.txt')
    writeFileSync(input, 'one\ntwo\n')
    const options = { ports: await fourPorts(), args: ['--log-level', 'info'] }
    const first = await Millrace.start(join(directory, 'data'), options)
    cleanUps.add(() => first.stop())
    await first.createConnector('lines', {
      'connector.class': 'FileStreamSource',
      file: input,
      topic: 'lines',
    })
    const count = async (millrace: Millrace) => (await millrace.topics('lines'))[0]?.offsetCount
    await eventually(async () => expect(await count(first)).toBe(2))
    expect(await first.stop()).toBe(0)

    const second = await Millrace.start(join(directory, 'data'), options)
    cleanUps.add(() => second.stop())
    expect(second.log).toMatch(/wasClean=true/)
    await untilTask(second, 'lines', 'RUNNING')
    writeFileSync(input, 'three\n', { flag: 'a' })
    await eventually(async () => expect(await count(second)).toBe(3))
    expect(await second.stop()).toBe(0)
  })

  it('is also possible before it is ready', async () => {
    const directory = cleanUps.directory()
    for (const delayMs of [50, 300, 600, 900]) {
      const millrace = Millrace.launch(join(directory, 'data'))
      millrace.ready().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      expect([0, null]).toContain(await millrace.stop()) // null: before there was anything to shut down
    }
  })
})

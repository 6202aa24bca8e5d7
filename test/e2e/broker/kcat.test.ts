import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { startTestBroker, type TestBroker } from './harness'

// librdkafka's own client: every C, Python, Go and .NET application speaks as it does.
const isInstalled = spawnSync('kcat', ['-V']).error === undefined
const describeKcat = isInstalled ? describe : describe.skip

let broker: TestBroker

async function kcat(args: readonly string[], input = ''): Promise<string> {
  const child = spawn('kcat', ['-b', broker.bootstrap, ...args])
  let output = ''
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (complaints += String(chunk)))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`kcat ${args.join(' ')}: ${complaints}`)
  return output
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}\n`).join('')

describeKcat(isInstalled ? 'kcat' : 'kcat (skipped: kcat is not installed on this machine)', () => {
  beforeAll(async () => {
    broker = await startTestBroker()
  })
  afterAll(() => broker.stop())

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'produces and consumes with %s',
    async (codec) => {
      const topic = `codec-${codec}`
      await kcat(['-P', '-t', topic, '-z', codec, '-X', 'acks=all'], lines(1000))
      expect(await kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-q'])).toBe(lines(1000))
    },
  )

  it('produces idempotently, and with acks 0 and 1', async () => {
    await kcat(['-P', '-t', 'acks', '-X', 'enable.idempotence=true'], lines(500))
    await kcat(['-P', '-t', 'acks', '-X', 'acks=1'], lines(500))
    await kcat(['-P', '-t', 'acks', '-X', 'acks=0'], lines(500))
    const consumed = await kcat(['-C', '-t', 'acks', '-o', 'beginning', '-e', '-q'])
    expect(consumed).toBe(lines(500).repeat(3))
  })

  it('starts at an offset, at the last records, and at a time', async () => {
    await kcat(['-P', '-t', 'offsets'], lines(10))
    const consume = (from: string) =>
      kcat(['-C', '-t', 'offsets', '-p', '0', '-o', from, '-e', '-q', '-f', '%o '])
    expect(await consume('7')).toBe('7 8 9 ')
    expect(await consume('-2')).toBe('8 9 ')
    expect(await consume('s@1000')).toBe('0 1 2 3 4 5 6 7 8 9 ')
  })

  it('consumes in a group, which goes on where it has committed', async () => {
    await kcat(['-P', '-t', 'grouped'], lines(20))
    const group = ['-G', 'kcat-group', '-X', 'auto.offset.reset=earliest', '-e', '-q', 'grouped']
    expect(await kcat(group)).toBe(lines(20))
    await kcat(['-P', '-t', 'grouped'], 'one more\n')
    expect(await kcat(group)).toBe('one more\n')
  }, 30_000)

  it('lists brokers and topics', async () => {
    const listed = await kcat(['-L'])
    expect(listed).toContain(`broker 1 at ${broker.bootstrap}`)
    expect(listed).toContain('topic "grouped" with 1 partitions')
  })
})

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '@millrace/broker'
import { batch } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker } from './harness'

const MAIN = join(__dirname, '../../../apps/broker/dist/main.js')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-start-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function start(properties: Record<string, string>) {
  return startBroker({
    properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': directory, ...properties },
    logger: silentLogger,
  })
}

describe('a start', () => {
  it('on a port in use fails with one clear error and leaves the directory free', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await expect(start({ listeners: `PLAINTEXT://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'BROKER_ADDRESS_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
      todo: expect.stringContaining('port'),
    })
    server.close()
    await (await start({})).close()
  })

  it('on a directory that another broker holds fails, and works once that one is closed', async () => {
    const first = await start({})
    await expect(start({})).rejects.toMatchObject({ code: 'BASE_DIRECTORY_LOCKED' })
    await first.close()
    await (await start({})).close()
  })

  it('on a metadata directory that another broker holds fails', async () => {
    const at = (name: string) => ({
      'log.dirs': join(directory, name),
      'metadata.log.dir': join(directory, 'shared'),
    })
    const first = await start(at('a'))
    await expect(start(at('b'))).rejects.toMatchObject({ code: 'BASE_DIRECTORY_LOCKED' })
    await first.close()
  })

  it('in a directory that cannot be made fails', async () => {
    const file = join(directory, 'a-file')
    writeFileSync(file, '')
    await expect(start({ 'log.dirs': join(file, 'logs') })).rejects.toMatchObject({
      code: 'BROKER_DIRECTORY_UNUSABLE',
    })
  })

  it('with a second directory that cannot be made goes on with the first', async () => {
    const file = join(directory, 'a-file')
    writeFileSync(file, '')
    const [good, bad] = [join(directory, 'logs'), join(file, 'logs')]
    const broker = await start({ 'log.dirs': `${good},${bad}` })
    const client = await RawClient.open(broker.addresses[0].port)
    const { results } = await client.ask(ApiKey.DescribeLogDirs, 4, { topics: null })
    expect(results.map(({ logDir, errorCode }) => [logDir, errorCode])).toEqual([
      [good, ErrorCode.NONE],
      [bad, ErrorCode.KAFKA_STORAGE_ERROR],
    ])
    const made = await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'new' }] })
    expect(made.topics).toHaveLength(1)
    client.close()
    await broker.close()
  })

  it('with another node id on the same directory is refused', async () => {
    await (await start({})).close()
    await expect(start({ 'node.id': '2' })).rejects.toMatchObject({ code: 'LOG_DIRECTORY_FOREIGN' })
  })
})

describe('connections.max.idle.ms', () => {
  it.each(['-1', '9223372036854775807'])('%s keeps connections', async (maxIdleMs) => {
    const broker = await startTestBroker({ 'connections.max.idle.ms': maxIdleMs })
    const client = await RawClient.open(broker.port)
    expect((await client.ask(ApiKey.ApiVersions, 0, {})).errorCode).toBe(ErrorCode.NONE)
    client.close()
    await broker.stop()
  })
})

describe('a restart', () => {
  it('keeps topics, records and offsets, and begins a new leader epoch', async () => {
    const broker = await startTestBroker()
    const first = await RawClient.open(broker.port)
    const before = await first.ask(ApiKey.Metadata, 12, { topics: [{ name: 'kept' }] })
    await first.ask(ApiKey.Produce, 9, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: 'kept', partitionData: [{ index: 0, records: aBatch(['a', 'b']) }] }],
    })
    await broker.restart()
    const client = await RawClient.open(broker.port)
    const after = await client.ask(ApiKey.Metadata, 12, { topics: null })
    const kept = after.topics.find(({ name }) => name === 'kept')
    expect(after.clusterId).toBe(before.clusterId)
    expect(kept?.topicId).toBe(before.topics[0].topicId)
    expect(kept!.partitions[0].leaderEpoch).toBe(before.topics[0].partitions[0].leaderEpoch + 1)
    const { responses } = await client.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [
        {
          topic: 'kept',
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
        },
      ],
    })
    expect(responses[0].partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 2 })
    client.close()
    await broker.stop()
    expect(broker.complaints).toEqual([])
  })
})

describe('a shutdown', () => {
  it('answers a fetch that waits, and ends without waiting for its time', async () => {
    const broker = await startTestBroker()
    const client = await RawClient.open(broker.port)
    await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'waiting' }] })
    client.send(ApiKey.Fetch, 12, {
      maxWaitMs: 30_000,
      minBytes: 1,
      topics: [
        {
          topic: 'waiting',
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
        },
      ],
    })
    await new Promise((resolve) => setTimeout(resolve, 50)) // the request must be there before the end
    const startedMs = Date.now()
    const [{ value }] = await Promise.all([client.receive(ApiKey.Fetch, 12), broker.stop()])
    expect(value.errorCode).toBe(ErrorCode.NONE)
    expect(Date.now() - startedMs).toBeLessThan(15_000)
  })
})

describe('the standalone program', () => {
  async function run(properties: string): Promise<{ child: ChildProcess; port: number }> {
    const file = join(directory, 'server.properties')
    writeFileSync(file, properties)
    const child = spawn(process.execPath, [MAIN, file], { stdio: ['ignore', 'ignore', 'pipe'] })
    let text = ''
    child.stderr!.on('data', (chunk: Buffer) => {
      text += String(chunk)
    })
    for (;;) {
      await Promise.race([once(child.stderr!, 'data'), once(child, 'exit')])
      const started = /PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/.exec(text)
      if (started) return { child, port: Number(started[1]) }
      if (child.exitCode !== null) throw new Error(text)
    }
  }

  it('loses nothing that was acknowledged when it is killed (ACK-1)', async () => {
    const properties = `listeners=PLAINTEXT://127.0.0.1:0\nlog.dirs=${join(directory, 'logs')}\n`
    const first = await run(properties)
    const producer = await RawClient.open(first.port)
    await producer.ask(ApiKey.Metadata, 12, { topics: [{ name: 'crash' }] })
    let acknowledged = 0
    const count = 400
    for (let i = 0; i < count; i++)
      producer.send(ApiKey.Produce, 9, {
        acks: i % 2 === 0 ? -1 : 1,
        timeoutMs: 5000,
        topicData: [
          { name: 'crash', partitionData: [{ index: 0, records: aBatch([`value ${i}`]) }] },
        ],
      })
    while (acknowledged < count / 4) {
      await producer.nextFrame()
      acknowledged += 1
    }
    const killed = once(first.child, 'exit') // which may come before the last answer
    first.child.kill('SIGKILL')
    while ((await producer.nextFrame()) !== null) acknowledged += 1
    await killed

    const second = await run(properties)
    const reader = await RawClient.open(second.port)
    const { responses } = await reader.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [
        {
          topic: 'crash',
          partitions: [{ partition: 0, fetchOffset: acknowledged - 1, partitionMaxBytes: 1 }],
        },
      ],
    })
    const [partition] = responses[0].partitions
    expect(partition.highWatermark).toBeGreaterThanOrEqual(acknowledged)
    expect(batch.baseOffset(partition.records!, 0)).toBe(acknowledged - 1)
    second.child.kill('SIGTERM')
    await once(second.child, 'exit')
    expect(second.child.exitCode).toBe(0)
  })

  it('says what is wrong in one line and ends with 1', async () => {
    await expect(run(`listeners=SSL://127.0.0.1:0\nlog.dirs=${directory}\n`)).rejects.toThrow(
      /ssl\.keystore\.location is required/,
    )
  })
})

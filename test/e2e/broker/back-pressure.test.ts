import { connect } from 'node:net'
import { ApiKey, encodeRequest, ErrorCode, FetchRequest } from '@millrace/wire'
import {
  aBatch,
  heldBufferBytes,
  RawClient,
  requestsBegun,
  startTestBroker,
  type TestBroker,
} from './harness'

function aFetch(correlationId: number): Buffer {
  return Buffer.concat(
    encodeRequest(
      FetchRequest,
      12,
      { correlationId, clientId: 'slow' },
      {
        maxWaitMs: 0,
        minBytes: 1,
        topics: [
          {
            topic: 'large',
            partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
          },
        ],
      },
    ),
  )
}

describe('a connection', () => {
  let broker: TestBroker

  beforeAll(async () => {
    broker = await startTestBroker()
  })
  afterAll(() => broker.stop())

  it('whose client does not read is not read either, and gets every answer once it does', async () => {
    const client = await RawClient.open(broker.port)
    await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'large' }] })
    const partitionData = [{ index: 0, records: aBatch(['x'.repeat(900_000)]) }]
    const topicData = [{ name: 'large', partitionData }]
    const request = { acks: -1, timeoutMs: 5000, topicData }
    const { responses } = await client.ask(ApiKey.Produce, 9, request)
    expect(responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.NONE)
    client.close()
    const count = 300 // 270 MB of answers
    const before = heldBufferBytes()
    const socket = connect({ host: '127.0.0.1', port: broker.port })
    const begun = await requestsBegun(broker, { request: 'Fetch', version: 12 }, () => {
      for (let i = 0; i < count; i++) socket.write(aFetch(i))
    })
    expect(begun).toBeLessThan(100)
    expect(heldBufferBytes() - before).toBeLessThan(40 << 20)

    let receivedBytes = 0
    await new Promise<void>((resolve) =>
      socket.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length
        if (receivedBytes > count * 900_000) resolve()
      }),
    )
    socket.destroy()
  }, 20_000)
})

describe('a connection that may be idle for 600 ms', () => {
  let broker: TestBroker

  beforeAll(async () => {
    broker = await startTestBroker({ 'connections.max.idle.ms': '600' })
  })
  afterAll(() => broker.stop())

  it('is closed when nothing moves for so long', async () => {
    const client = await RawClient.open(broker.port)
    await client.ask(ApiKey.ApiVersions, 0, {})
    expect(await client.nextFrame()).toBeNull()
  })

  it('is kept while it waits for a fetch for longer', async () => {
    const client = await RawClient.open(broker.port)
    await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'quiet' }] })
    client.send(ApiKey.Fetch, 12, {
      maxWaitMs: 1500,
      minBytes: 1,
      topics: [
        {
          topic: 'quiet',
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
        },
      ],
    })
    const { value } = await client.receive(ApiKey.Fetch, 12)
    expect(value.responses[0].partitions[0].errorCode).toBe(0)
    client.close()
  })
})

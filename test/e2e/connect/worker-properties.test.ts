import { ConnectHarness, startWorkerOn } from './harness'

const POLICY = 'connector.client.config.override.policy'

let harness: ConnectHarness
beforeAll(async () => {
  harness = await ConnectHarness.start()
}, 30_000)
afterAll(() => harness.close())

const config = {
  'connector.class': 'org.example.LinesSourceConnector',
  remote: 'overriding',
  topic: 'overriding',
  'producer.override.linger.ms': '5',
}

describe("a worker's own properties", () => {
  it('may hold placeholders, as those of connectors', async () => {
    const topic = 'status-${env:TEST_SECRET}'
    const worker = await startWorkerOn(harness.bootstrap, {
      'group.id': 'other',
      'status.storage.topic': topic,
    })
    await worker.close()
    expect(await harness.readTopic('status-hidden-value')).toEqual([])
  })
})

describe('a policy on client settings', () => {
  it('refuses connectors that change more, new ones and those that were there before it', async () => {
    await harness.create('before', { ...config, remote: 'before' })
    await harness.worker.close()
    harness.worker = await startWorkerOn(harness.bootstrap, { [POLICY]: 'None' })
    const { trace } = await harness.untilTask('before', 'FAILED')
    expect(trace).toContain('producer.override.linger.ms')
    const { status, body } = await harness.rest('POST', '/connectors', { name: 'after', config })
    expect(status).toBe(400)
    expect(body.message).toContain('producer.override.linger.ms')
  })

  it('must be one that there is', async () => {
    await expect(startWorkerOn(harness.bootstrap, { [POLICY]: 'Some' })).rejects.toThrow(
      'All, None, Principal, Allowlist',
    )
  })
})

import { ApiKey } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

let broker: TestBroker
let client: RawClient

beforeAll(async () => {
  broker = await startTestBroker({ 'metrics.http.listener': '127.0.0.1:0' })
  client = await RawClient.open(broker.port)
  const shape = { replicationFactor: 1, assignments: [], configs: [] }
  await client.ask(ApiKey.CreateTopics, 7, { topics: [{ name: 'm', numPartitions: 2, ...shape }] })
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

interface Scrape {
  readonly types: ReadonlyMap<string, string>
  /** By name and labels as they stand in the text. */
  readonly values: ReadonlyMap<string, number>
}

/** Reads the text format line by line, and fails on one that has no place in it. */
async function scrape(): Promise<Scrape> {
  const answer = await fetch(broker.metricsUrl)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const types = new Map<string, string>()
  const values = new Map<string, number>()
  for (const line of (await answer.text()).split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue
    const type = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line)
    if (type) {
      types.set(type[1], type[2])
      continue
    }
    const sample = /^(\w+(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})?) (\S+)$/.exec(line)
    if (!sample) throw new Error(`no line of the format: ${line}`)
    expect(values.has(sample[1])).toBe(false)
    values.set(sample[1], Number(sample[2]))
  }
  return { types, values }
}

describe('/metrics', () => {
  it('counts what topics take and give, also in all', async () => {
    const records = aBatch(['a', 'b', 'c'])
    await client.ask(ApiKey.Produce, 9, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: 'm', partitionData: [{ index: 1, records }] }],
    })
    const partitions = [{ partition: 1, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
    await client.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: 'm', partitions }],
    })
    const { values, types } = await scrape()
    const counted = (name: string, topic: string) =>
      values.get(`kafka_server_brokertopicmetrics_${name}_total{topic="${topic}"}`)
    for (const topic of ['m', '']) {
      expect(counted('messagesin', topic)).toBe(3)
      expect(counted('bytesin', topic)).toBe(records.length)
      expect(counted('bytesout', topic)).toBe(records.length)
      expect(counted('totalproducerequests', topic)).toBe(1)
      expect(counted('failedproducerequests', topic)).toBe(0)
      expect(counted('totalfetchrequests', topic)).toBe(1)
    }
    expect(types.get('kafka_server_brokertopicmetrics_bytesin_total')).toBe('counter')
    expect(values.get('kafka_log_log_size{topic="m",partition="1"}')).toBe(records.length)
    expect(values.get('kafka_log_log_logendoffset{topic="m",partition="1"}')).toBe(3)
    expect(values.get('kafka_log_log_size{topic="m",partition="0"}')).toBe(0)
  })

  it('counts and times requests by API', async () => {
    const { values } = await scrape()
    const name = 'kafka_network_requestmetrics'
    expect(values.get(`${name}_requests_total{request="Produce",version="9"}`)).toBe(1)
    expect(values.get(`${name}_totaltimems_count{request="Produce"}`)).toBe(1)
    expect(values.get(`${name}_totaltimems{request="Produce",quantile="0.99"}`)).toBeGreaterThan(0)
  })

  it('has what dashboards of the JMX exporter look for', async () => {
    const { values } = await scrape()
    expect(values.get('kafka_server_replicamanager_partitioncount')).toBeGreaterThanOrEqual(2)
    expect(values.get('kafka_server_replicamanager_leadercount')).toBeGreaterThanOrEqual(2)
    expect(values.get('kafka_server_replicamanager_underreplicatedpartitions')).toBe(0)
    expect(values.get('kafka_server_fetchsessioncache_numincrementalfetchsessions')).toBe(0)
    expect(values.get('kafka_controller_kafkacontroller_activecontrollercount')).toBe(1)
    expect(values.get('kafka_controller_kafkacontroller_offlinepartitionscount')).toBe(0)
    expect(values.get('kafka_controller_kafkacontroller_globaltopiccount')).toBe(1)
    expect(values.get('kafka_coordinator_group_groupmetadatamanager_numgroups')).toBe(0)
    expect(
      values.get(
        'kafka_server_socketservermetrics_connection_count{listener="PLAINTEXT",network_processor="0"}',
      ),
    ).toBe(1)
    const idle = values.get('kafka_network_socketserver_networkprocessoravgidle_percent')
    expect(idle).toBeGreaterThanOrEqual(0)
    expect(idle).toBeLessThanOrEqual(1)
    expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(0)
    expect(values.has('nodejs_eventloop_lag_seconds')).toBe(true)
  })

  it('forgets a topic that is deleted, and keeps what it had in all', async () => {
    await client.ask(ApiKey.DeleteTopics, 5, { topicNames: ['m'], timeoutMs: 5000 })
    const { values } = await scrape()
    expect(Array.from(values.keys()).filter((key) => key.includes('topic="m"'))).toEqual([])
    expect(values.get('kafka_server_brokertopicmetrics_messagesin_total{topic=""}')).toBe(3)
  })
})

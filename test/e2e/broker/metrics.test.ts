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

  it('counts error codes by API, and fetches by who fetches as well', async () => {
    const before = (await scrape()).values
    const request = { maxWaitMs: 0, minBytes: 1 }
    const at = (fetchOffset: number) => ({ partition: 1, fetchOffset, partitionMaxBytes: 1 << 20 })
    for (const partitions of [[at(0)], [at(99)]])
      await client.ask(ApiKey.Fetch, 12, { ...request, topics: [{ topic: 'm', partitions }] })
    const { values } = await scrape()
    const since = (key: string) => (values.get(key) ?? 0) - (before.get(key) ?? 0)
    const name = 'kafka_network_requestmetrics'
    // Each answer has a code of its own, and one for its partition.
    expect(since(`${name}_errors_total{request="Fetch",error="NONE"}`)).toBe(3)
    expect(since(`${name}_errors_total{request="Fetch",error="OFFSET_OUT_OF_RANGE"}`)).toBe(1)
    for (const request of ['Fetch', 'FetchConsumer'])
      expect(since(`${name}_requests_total{request="${request}",version="12"}`)).toBe(2)
  })

  it('counts what groups and connections do', async () => {
    const before = (await scrape()).values
    const other = await RawClient.open(broker.port)
    await other.ask(ApiKey.FindCoordinator, 3, { key: 'g', keyType: 0 })
    const partitions = [0, 1].map((partitionIndex) => ({
      partitionIndex,
      committedOffset: 0,
      committedMetadata: '',
    }))
    const commit = { groupId: 'g', topics: [{ name: 'm', partitions }] }
    while (
      (await other.ask(ApiKey.OffsetCommit, 7, commit)).topics[0].partitions[0].errorCode !== 0
    )
      await new Promise((resolve) => setTimeout(resolve, 10)) // the coordinator is loading
    const group = 'kafka_server_group_coordinator_metrics'
    const connection = 'kafka_server_socketservermetrics_connection'
    const labels = '{listener="PLAINTEXT",network_processor="0"}'
    const { values } = await scrape()
    const since = (key: string) => (values.get(key) ?? 0) - (before.get(key) ?? 0)
    expect(since('kafka_coordinator_group_groupmetadatamanager_numoffsets')).toBe(2)
    expect(since(`${group}_offset_commit_count`)).toBe(2)
    expect(since(`${group}_group_count{protocol="classic"}`)).toBe(1)
    expect(values.has('kafka_server_transaction_coordinator_metrics_partition_load_time_max')).toBe(
      true,
    )
    expect(values.get(`${group}_num_partitions{state="active"}`)).toBe(4)
    expect(since(`${connection}_creation_total${labels}`)).toBe(1)
    other.close()
    const closed = async () => (await scrape()).values.get(`${connection}_close_total${labels}`)
    while ((await closed()) === before.get(`${connection}_close_total${labels}`));
    expect(values.get('kafka_log_logflushstats_logflushrateandtimems_count')).toBeGreaterThan(0)
    await client.ask(ApiKey.DeleteGroups, 2, { groupsNames: ['g'] })
  })

  it('has what dashboards of the JMX exporter look for', async () => {
    const { values } = await scrape()
    expect(values.get('kafka_server_replicamanager_partitioncount')).toBeGreaterThanOrEqual(2)
    expect(values.get('kafka_server_replicamanager_leadercount')).toBeGreaterThanOrEqual(2)
    expect(values.get('kafka_server_replicamanager_underreplicatedpartitions')).toBe(0)
    expect(values.get('kafka_server_fetchsessioncache_numincrementalfetchsessions')).toBe(0)
    expect(values.get('kafka_controller_kafkacontroller_activecontrollercount')).toBe(1)
    expect(values.get('kafka_controller_kafkacontroller_offlinepartitionscount')).toBe(0)
    expect(values.get('kafka_controller_kafkacontroller_globaltopiccount')).toBe(2)
    expect(values.get('kafka_log_logmanager_offlinelogdirectorycount')).toBe(0)
    const directory = `{logDirectory="${broker.directory}"}`
    expect(values.get(`kafka_log_logmanager_logdirectoryoffline${directory}`)).toBe(0)
    expect(values.get(`kafka_log_logcleanermanager_uncleanable_bytes${directory}`)).toBe(0)
    expect(values.get('kafka_coordinator_group_groupmetadatamanager_numgroups')).toBe(0)
    expect(
      values.get(
        'kafka_server_socketservermetrics_connection_count{listener="PLAINTEXT",network_processor="0"}',
      ),
    ).toBe(1)
    expect(
      values.get(
        'kafka_server_socket_server_metrics_connection_count{listener="PLAINTEXT",networkProcessor="0"}',
      ),
    ).toBe(1)
    const idle = values.get('kafka_network_socketserver_networkprocessoravgidle_percent')
    expect(idle).toBeGreaterThanOrEqual(0)
    expect(idle).toBeLessThanOrEqual(1)
    expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(0)
    expect(values.has('nodejs_eventloop_lag_seconds')).toBe(true)
  })

  it('forgets a topic that is deleted, and keeps what it had in all', async () => {
    const total = 'kafka_server_brokertopicmetrics_messagesin_total{topic=""}'
    const before = (await scrape()).values.get(total)
    await client.ask(ApiKey.DeleteTopics, 5, { topicNames: ['m'], timeoutMs: 5000 })
    const { values } = await scrape()
    expect(Array.from(values.keys()).filter((key) => key.includes('topic="m"'))).toEqual([])
    expect(values.get(total)).toBeGreaterThanOrEqual(before!)
  })
})

import { ApiKey, ErrorCode } from '@millrace/wire'
import { findKafka, jmxUrl, runTool, startKafka, type KafkaNode } from '../../peers/apache-kafka'
import { freePort } from '../../peers/free-ports'
import { eventually } from '../wait'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

/** The names under which metrics are served, and those that the JMX exporter's rules make of the beans of a real Kafka. */
const home = findKafka()
const describeOnKafka = 'missing' in home ? describe.skip : describe

/** Kafka makes a bean for the failures of a topic with the first one; it does not count pushes of client metrics. */
const OUR_OWN = [
  'kafkaserverbrokertopicmetricsfailedproducerequeststotal{topic}',
  'kafkaserverbrokertopicmetricsfailedfetchrequeststotal{topic}',
  'kafkaserverclientmetricspushtotal{}',
]

/** Beans of Kafka's own clients, of its Raft and of share groups are not compared. */
const DASHBOARDS =
  /^kafka(?:cluster|controller|coordinator|log|network|server(?:replicamanager|brokertopic|delayedop|fetchsession|kafka(?:server|request)))/

const LEFT_OUT = [
  // The metadata has neither a queue of events nor a log that brokers follow, and nobody else to be controller or broker.
  /^kafkacontrollercontroller(?:eventmanager|statselectionfromeligible)/,
  /^kafkacontrollerkafkacontroller(?:eventqueue|last|ignored|metadataerror|newactive|timedout)/,
  /^kafkacontrollerkafkacontroller(?:brokerregistration|controlledshutdown|timesincelastheartbeat)/,
  /transactionmarkerchannelmanager/,
  // There are no parts to tell apart: one event loop is acceptor, processor and handler.
  /acceptorblocked|responsequeuesize\{processor\}|(?:broker|controller)requesthandler/,
  /handleravgidlepercentcount/,
  /memorypool/,
  // Not served at all.
  /share|cordoned|messageconversionstime|temporarymemory/,
  // Nobody counts them.
  /requestbytes|responsesendtime|throttletime|expiredconnectionskilled/,
  /bytesrejected|invalid(?:magic|message|offset)|nokeycompacted/,
  /retentionsizeinpercent|latetransactions/,
  // No numbers, or about the library of the metrics.
  /clusterid|yammer/,
]

let kafka: KafkaNode
let broker: TestBroker
/** Name and label names, in one spelling: rules differ in where they put a `_` and a capital. */
let theirs: ReadonlySet<string>
let ours: ReadonlySet<string>

describeOnKafka('metrics have the names of Kafka', () => {
  beforeAll(async () => {
    if ('missing' in home) return
    const jmxPort = await freePort()
    kafka = await startKafka(home, { heapMb: 256, jmxPort })
    broker = await startTestBroker({ 'metrics.http.listener': '127.0.0.1:0' })
    await useEverything(kafka.port)
    await useEverything(broker.port)
    const tool = 'org.apache.kafka.tools.JmxTool'
    const once = ['--one-time', '--report-format', 'properties']
    const { stdout } = await runTool(home, tool, ['--jmx-url', jmxUrl(jmxPort), ...once])
    theirs = new Set(stdout.split('\n').flatMap(exportedNames))
    const scraped = await (await fetch(broker.metricsUrl)).text()
    ours = new Set(scraped.split('\n').flatMap(servedName))
  }, 90_000)
  afterAll(async () => {
    await kafka?.stop()
    await broker?.stop()
  })

  it('serves nothing under kafka_ that the exporter would not make of a bean', () => {
    const unknown = [...ours].filter((name) => !theirs.has(name))
    expect(unknown).toEqual(OUR_OWN.filter((name) => ours.has(name)))
  })

  it('leaves out of what dashboards look at only what is listed here', () => {
    const missing = [...theirs].filter((name) => DASHBOARDS.test(name) && !ours.has(name))
    const reasonsOf = (name: string) => LEFT_OUT.filter((pattern) => pattern.test(name))
    expect(missing.filter((name) => reasonsOf(name).length === 0).sort()).toEqual([])
    expect(LEFT_OUT.filter((pattern) => !missing.some((name) => pattern.test(name)))).toEqual([])
  })
})

async function useEverything(port: number): Promise<void> {
  const client = await RawClient.open(port)
  const shape = { replicationFactor: 1, assignments: [], configs: [] }
  const topics = [{ name: 'm', numPartitions: 1, ...shape }]
  await client.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 })
  // A Kafka that is busy answers that the topic is created before its broker leads it.
  await eventually(async () => {
    const { responses } = await client.ask(ApiKey.Produce, 9, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: 'm', partitionData: [{ index: 0, records: aBatch(['a']) }] }],
    })
    expect(responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.NONE)
  })
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
  const { responses } = await client.ask(ApiKey.Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topic: 'm', partitions }],
  })
  expect(responses[0].partitions[0].errorCode).toBe(ErrorCode.NONE)
  client.close()
}

/** `domain:type=T,name=N,key=value:Attribute=number`, as the tool prints it. */
function exportedNames(line: string): string[] {
  const bean =
    /^kafka\.(\w+(?:\.\w+)?):type=([^,:]+)((?:,[\w-]+=(?:"[^"]*"|[^,:]*))*):([\w-]+)=/.exec(line)
  if (!bean) return []
  const [, domain, type, others, attribute] = bean
  const keys = Array.from(others.matchAll(/,([\w-]+)=("[^"]*"|[^,]*)/g), ([, key, value]) => [
    key,
    value,
  ])
  const name = keys.find(([key]) => key === 'name')?.[1]
  const labels = keys.map(([key]) => key).filter((key) => key !== 'name')
  const prefix = `kafka_${domain}_${type}`
  if (name === undefined) return [spelled(`${prefix}_${attribute}`, labels)]
  if (attribute === 'Value' || (attribute === 'MeanRate' && name.endsWith('Percent')))
    return [spelled(`${prefix}_${name}`, labels)]
  if (attribute === 'Count' && name.endsWith('PerSec'))
    return [spelled(`${prefix}_${name.replace('PerSec', '')}_total`, labels)]
  if (attribute === 'Count') return [spelled(`${prefix}_${name}_count`, labels)]
  return attribute.endsWith('thPercentile')
    ? [spelled(`${prefix}_${name}`, [...labels, 'quantile'])]
    : []
}

function servedName(line: string): string[] {
  const sample = /^(kafka_\w+)(?:\{(.*)\})? /.exec(line)
  if (!sample) return []
  const labels = Array.from((sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
  return [
    spelled(
      sample[1],
      labels.filter(([, , value]) => value !== '').map(([, key]) => key),
    ),
  ]
}

function spelled(name: string, labels: readonly string[]): string {
  const plain = (text: string) => text.toLowerCase().replace(/[_.-]/g, '')
  return `${plain(name)}{${labels.map(plain).sort().join()}}`
}

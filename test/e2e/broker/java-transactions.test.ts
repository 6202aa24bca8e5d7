/** Kafka's own Java producer and tools, which speak the newer protocol of transactions. */
import { ApiKey } from '@millrace/wire'
import { findKafka, type KafkaHome, runTool } from '../../peers/apache-kafka'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

const JAVA_TIMEOUT_MS = 120_000
const CLOSE_LATE_MS = 500
const HOUR_MS = 3_600_000
const BROKER_RESOURCE = 4

const home = findKafka()
let broker: TestBroker
let client: RawClient

/** `settings` are the tool's arguments, none of which has a space in it. */
async function run(tool: string, settings: string): Promise<string> {
  const mainClass = `org.apache.kafka.tools.${tool}`
  const result = await runTool(home as KafkaHome, mainClass, settings.split(' '))
  const { code, stdout, stderr } = result
  if (code !== 0) throw new Error(`${tool} ended with ${code}: ${stderr}${stdout}`)
  return stdout
}

function transactions(settings: string): Promise<string> {
  return run('TransactionsCommand', `--bootstrap-server ${broker.bootstrap} ${settings}`)
}

async function consumeCommitted(topic: string, count: number): Promise<string[]> {
  const where = `--bootstrap-server ${broker.bootstrap} --topic ${topic} --from-beginning`
  const limits = `--isolation-level read_committed --max-messages ${count} --timeout-ms 20000`
  return (await run('consumer.ConsoleConsumer', `${where} ${limits}`)).trim().split('\n')
}

async function createTopic(name: string): Promise<void> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  await client.ask(ApiKey.CreateTopics, 5, { topics, timeoutMs: 5000 })
}

async function produce(topic: string, records: Buffer, transactionalId: string | null = null) {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const request = { transactionalId, acks: -1, timeoutMs: 5000, topicData }
  const { responses } = await client.ask(ApiKey.Produce, 9, request)
  expect(responses[0].partitionResponses[0]).toMatchObject({ errorCode: 0 })
}

/**
 * A producer that begins a transaction in the topic an hour ago and is not heard of any more. It may have told the coordinator
 * of the partition: if not, nobody will ever end the transaction.
 */
async function abandon(transactionalId: string, topic: string, { isTold = true } = {}) {
  const begin = { transactionalId, transactionTimeoutMs: 600_000 }
  const { producerId, producerEpoch } = await client.ask(ApiKey.InitProducerId, 4, begin)
  const partitions = {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: topic, partitions: [0] }],
  }
  if (isTold) await client.ask(ApiKey.AddPartitionsToTxn, 3, partitions)
  const producer = { producerId, producerEpoch, baseSequence: 0 }
  const timestamp = Date.now() - HOUR_MS
  const records = aBatch(['x'], { producer, isTransactional: true, timestamp })
  await produce(topic, records, transactionalId)
  return producer
}

/** As it was in Kafka before 3.6: what a producer writes is not compared with what the coordinator knows. */
async function setVerifying(isVerifying: boolean): Promise<void> {
  const name = 'transaction.partition.verification.enable'
  const configs = [{ name, configOperation: 0, value: String(isVerifying) }]
  const resources = [{ resourceType: BROKER_RESOURCE, resourceName: '1', configs }]
  const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
    resources,
    validateOnly: false,
  })
  expect(responses).toMatchObject([{ errorCode: 0 }])
}

const title = 'transactions of Java clients'
const describeWithKafka =
  'missing' in home
    ? describe.skip.bind(null, `${title} (missing: ${home.missing})`)
    : describe.bind(null, title)

describeWithKafka(() => {
  jest.setTimeout(JAVA_TIMEOUT_MS)

  beforeAll(async () => {
    broker = await startTestBroker({
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': String(CLOSE_LATE_MS),
    })
    client = await RawClient.open(broker.port)
  })
  afterAll(async () => {
    client.close()
    await broker.stop()
  })

  it('copy a topic exactly once, with the offsets of the group', async () => {
    await createTopic('copy-in')
    await createTopic('copy-out')
    const values = Array.from({ length: 1000 }, (_, i) => `value ${i}`)
    await produce('copy-in', aBatch(values))
    const names = '--transactional-id copier --consumer-group copiers --output-topic copy-out'
    const input = '--input-topic copy-in --input-partition 0 --max-messages 1000'
    const how = '--transaction-size 70 --enable-random-aborts'
    const all = `--broker-list ${broker.bootstrap} ${names} ${input} ${how}`
    await run('TransactionalMessageCopier', all)
    expect(await consumeCommitted('copy-out', 1000)).toEqual(values)
    const topics = [{ name: 'copy-in', partitionIndexes: [0] }]
    const query = { groups: [{ groupId: 'copiers', topics }], requireStable: true }
    const { groups } = await client.ask(ApiKey.OffsetFetch, 8, query)
    expect(groups[0].topics[0].partitions[0]).toMatchObject({ committedOffset: 1000, errorCode: 0 })
  })

  it('are listed and described', async () => {
    expect(await transactions('list')).toMatch(/copier\s+\d+\s+\d+\s+CompleteCommit/)
    const described = await transactions('describe --transactional-id copier')
    expect(described).toMatch(/\d+\s+copier\s+\d+\s+\d+\s+CompleteCommit\s+60000/)
    const query = { transactionalIds: ['copier'] }
    const { transactionStates } = await client.ask(ApiKey.DescribeTransactions, 0, query)
    // The newer protocol gives each transaction an epoch of its own.
    expect(transactionStates[0].producerEpoch).toBeGreaterThan(10)
  })

  it('lie in __transaction_state as Kafka’s dump tool reads it', async () => {
    const logs = ['0', '1', '2', '3'].map(
      (partition) =>
        `${broker.directory}/__transaction_state-${partition}/00000000000000000000.log`,
    )
    const dumped = await run(
      'DumpLogSegments',
      `--transaction-log-decoder --files ${logs.join(',')}`,
    )
    const records = dumped.split('\n').filter((line) => line.includes('"transactionalId":"copier"'))
    expect(records.length).toBeGreaterThan(30)
    expect(records.at(-1)).toMatch(/"transactionStatus":4,"transactionPartitions":\[\]/)
  })

  it('are found and ended by an operator when they hang', async () => {
    await createTopic('hanging')
    const { producerId, producerEpoch } = await abandon('forgotten', 'hanging')
    const place = '--topic hanging --partition 0'
    const producers = () => transactions(`describe-producers ${place}`)
    expect(await producers()).toMatch(
      new RegExp(`${producerId}\\s+${producerEpoch}.*\\s0\\s*$`, 'm'),
    )
    await transactions(`abort ${place} --start-offset 0`)
    expect(await producers()).toMatch(/None/)
  })

  it('are found when nobody will ever end them, and only those', async () => {
    await createTopic('left')
    await createTopic('open')
    await setVerifying(false)
    const { producerId, producerEpoch } = await abandon('left', 'left', { isTold: false })
    await setVerifying(true)
    await produce('left', aBatch(['behind']))
    await abandon('open', 'open')
    const found = async () => (await transactions('find-hanging --broker-id 1')).trim().split('\n')
    const [header, ...rows] = await found()
    expect(header).toMatch(/^Topic\s+Partition\s+ProducerId\s+ProducerEpoch/)
    expect(rows).toEqual([
      expect.stringMatching(`^left\\s+0\\s+${producerId}\\s+${producerEpoch}\\s`),
    ])
    await transactions(`abort --topic left --partition 0 --start-offset 0`)
    expect(await found()).toHaveLength(1)
    expect(await consumeCommitted('left', 1)).toEqual(['behind'])
    // Its producer goes on with what it was told, as if there had been no transaction.
    const query = { transactionalIds: ['left'] }
    const { transactionStates } = await client.ask(ApiKey.DescribeTransactions, 0, query)
    expect(transactionStates).toMatchObject([{ transactionState: 'Empty', producerEpoch }])
  })

  it('of a producer under load are all committed', async () => {
    await createTopic('perf')
    const load = '--topic perf --num-records 5000 --record-size 100 --throughput -1'
    const how = '--transactional-id perf --transaction-duration-ms 20'
    await run('ProducerPerformance', `--bootstrap-server ${broker.bootstrap} ${load} ${how}`)
    expect(await consumeCommitted('perf', 5000)).toHaveLength(5000)
  })
})

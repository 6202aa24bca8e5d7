import { ApiKey, ErrorCode } from '@millrace/wire'
import { type KafkaHome, startKafka } from '../../../peers/apache-kafka'
import { RawClient, startTestBroker } from '../harness'
import { until } from '../../wait'

const READY_MAX_MS = 60_000

/** What is asked: this broker, or a real Kafka, with the same settings. */
export interface Server {
  readonly port: number
  readonly stop: () => Promise<void>
}

const PROPERTIES = {
  'auto.create.topics.enable': 'false',
  'group.max.size': '3',
  'offset.metadata.max.bytes': '100',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  'message.max.bytes': '20000',
  'socket.request.max.bytes': '3000000',
}

export async function startOurs(): Promise<Server> {
  const broker = await startTestBroker(PROPERTIES)
  return whenReady({ port: broker.port, stop: () => broker.stop() })
}

export async function startTheirs(home: KafkaHome): Promise<Server> {
  const node = await startKafka(home, { heapMb: 384, properties: PROPERTIES })
  return whenReady({ port: node.port, stop: () => node.stop() })
}

/** Both coordinators make their topic with the first request that needs it. */
async function whenReady(server: Server): Promise<Server> {
  const client = await RawClient.open(server.port)
  try {
    for (const [keyType, key] of ['group', 'transaction'].entries())
      await untilNoError(async () => {
        const request = { keyType, coordinatorKeys: [key] }
        const answer = await client.ask(ApiKey.FindCoordinator, 4, request)
        return answer.coordinators[0].errorCode
      })
    for (const transactionalId of [null, 'first'])
      await untilNoError(async () => {
        const request = { transactionalId, transactionTimeoutMs: 1000 }
        return (await client.ask(ApiKey.InitProducerId, 4, request)).errorCode
      })
    await untilNoError(async () => {
      const { groups } = await client.ask(ApiKey.DescribeGroups, 5, { groups: ['first'] })
      return groups[0].errorCode
    })
    return server
  } catch (error) {
    await server.stop()
    throw error
  } finally {
    client.close()
  }
}

export function untilNoError(ask: () => Promise<number>): Promise<void> {
  return until(async () => (await ask()) === ErrorCode.NONE, READY_MAX_MS)
}

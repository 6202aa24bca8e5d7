import type { Client } from '@millrace/client'
import type { ConnectorPlugin } from '@millrace/connect-api'
import { compileJavaRegex } from '@millrace/transforms'
import { commonConnectorConfig, sinkConnectorConfig, withPrefix } from '../config/connector-config'
import { createConverters, createTransformChain } from '../pipeline/build'
import { DeadLetterQueue } from '../pipeline/dead-letter'
import { RecordErrors } from '../pipeline/record-errors'
import { consumerOverrides, producerOverrides } from './client-overrides'
import { SinkTaskAttempt } from './sink-task'
import type { TaskAttempt } from './supervisor'
import { TopicCreator } from './target-topics'
import {
  closingClient,
  parseOrThrow,
  recordErrorOptions,
  taskName,
  type AttemptScope,
} from './attempt-scope'

/** A fresh sink task with clients of its own. @throws ConfigurationError */
export async function createSinkAttempt(scope: AttemptScope): Promise<TaskAttempt> {
  const { worker, options, id, connector, logger, plugin } = scope
  const { clock, random, registry } = worker
  const common = parseOrThrow(commonConnectorConfig, connector)
  const sink = parseOrThrow(sinkConnectorConfig, connector)
  const chain = createTransformChain(registry, connector)
  const converters = createConverters(registry, connector, options.properties)
  const client = worker.client(`connector-consumer-${taskName(id)}`)
  const closers: (() => Promise<void>)[] = [() => client.close()]
  try {
    const deadLetters = await createDeadLetters(scope, sink, client, closers)
    const consumer = client.consumer(
      consumerOverrides(withPrefix(options.properties, 'consumer.'), connector, {
        groupId: `connect-${id.connector}`,
        groupInstanceId: `connector-consumer-${taskName(id)}`,
        logger,
      }),
    )
    const attempt = new SinkTaskAttempt(
      {
        clock,
        random,
        logger,
        reporter: scope.reporter,
        createTask: (controls) =>
          (plugin as Extract<ConnectorPlugin, { readonly type: 'sink' }>).createTask(
            scope.taskConfig as never,
            {
              clock,
              logger,
              connectorName: id.connector,
              taskId: id.task,
              properties: scope.task,
              ...controls,
            },
          ),
        pipeline: {
          chain,
          converters,
          errors: new RecordErrors({ clock, random, logger }, recordErrorOptions(common)),
          consumer,
          deadLetters,
          onTopic: (topic) => options.onTopic(id, topic),
        },
      },
      {
        subscription:
          sink.topicsRegex === ''
            ? { topics: [...sink.topics] }
            : { pattern: compileJavaRegex(sink.topicsRegex) },
        commitIntervalMs: options.config.offsetFlushIntervalMs,
        className: plugin.classNames[0] ?? plugin.name,
      },
    )
    return closingClient(attempt, () => closeAll(closers))
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

async function createDeadLetters(
  scope: AttemptScope,
  sink: {
    readonly deadLetterTopic: string
    readonly deadLetterReplicationFactor: number
    readonly deadLetterContextHeaders: boolean
  },
  client: Client,
  closers: (() => Promise<void>)[],
): Promise<DeadLetterQueue | null> {
  const { id, options, connector, logger } = scope
  const topic = sink.deadLetterTopic.trim()
  if (topic === '') return null
  const rule = {
    include: null,
    exclude: [],
    partitions: 1,
    replicationFactor: sink.deadLetterReplicationFactor,
    configs: {},
  }
  const creator = new TopicCreator(
    { admin: client.admin(), logger, onTopic: () => undefined },
    { rules: [rule], isEnabled: true },
  )
  await creator.ensure(topic)
  const producer = client.producer(
    producerOverrides(withPrefix(options.properties, 'producer.'), connector, logger),
  )
  closers.unshift(() => producer.close())
  return new DeadLetterQueue(
    { producer },
    {
      topic,
      hasContextHeaders: sink.deadLetterContextHeaders,
      connectorName: id.connector,
      taskId: id.task,
    },
  )
}

async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closers) await close()
}

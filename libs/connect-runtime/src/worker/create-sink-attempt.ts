import type { ConnectorPlugin } from '@millrace/connect-api'
import { compileJavaRegex } from '@millrace/transforms'
import { commonConnectorConfig, sinkConnectorConfig } from '../config/connector-config'
import { createConverters, createTransformChain } from '../pipeline/build'
import { DeadLetterQueue } from '../pipeline/dead-letter'
import { RecordErrors } from '../pipeline/record-errors'
import { consumerOverrides, producerOverrides } from './client-overrides'
import { clientSettings } from './client-settings'
import { SinkTaskAttempt } from './sink-task'
import type { TaskAttempt } from './supervisor'
import { TopicCreator } from './target-topics'
import {
  closingClient,
  createAdminClient,
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
  const settings = clientSettings('consumer', options.properties, connector)
  const client = worker.client(`connector-consumer-${taskName(id)}`, settings.connection)
  const closers: (() => Promise<void>)[] = [() => client.close()]
  try {
    const deadLetters = await createDeadLetters(scope, sink, closers)
    const consumer = client.consumer(
      consumerOverrides(settings, {
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
  closers: (() => Promise<void>)[],
): Promise<DeadLetterQueue | null> {
  const { id, options, connector, logger, worker } = scope
  const topic = sink.deadLetterTopic.trim()
  if (topic === '') return null
  const rule = {
    include: null,
    exclude: [],
    partitions: 1,
    replicationFactor: sink.deadLetterReplicationFactor,
    configs: {},
  }
  const admin = createAdminClient(scope)
  closers.unshift(() => admin.close())
  const creator = new TopicCreator(
    { admin: admin.admin(), logger, onTopic: () => undefined },
    { rules: [rule], isEnabled: true },
  )
  await creator.ensure(topic)
  const settings = clientSettings('producer', options.properties, connector)
  const overrides = producerOverrides(settings, logger)
  const client = worker.client(`connector-dlq-producer-${taskName(id)}`, settings.connection)
  const producer = client.producer(overrides)
  closers.unshift(() => producer.close().then(() => client.close()))
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

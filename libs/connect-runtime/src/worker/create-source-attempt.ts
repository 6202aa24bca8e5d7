import type { Client } from '@millrace/client'
import type { ConnectorPlugin, SourceTaskContext } from '@millrace/connect-api'
import { commonConnectorConfig } from '../config/connector-config'
import { createConverters, createTransformChain } from '../pipeline/build'
import { RecordErrors } from '../pipeline/record-errors'
import { producerOverrides } from './client-overrides'
import { clientSettings } from './client-settings'
import { SourceTaskAttempt } from './source-task'
import type { TaskAttempt } from './supervisor'
import { TopicCreator, topicCreationRules } from './target-topics'
import {
  closingClient,
  createAdminClient,
  parseOrThrow,
  recordErrorOptions,
  taskName,
  type AttemptScope,
} from './attempt-scope'

/** A fresh source task with clients of its own. @throws ConfigurationError */
export async function createSourceAttempt(scope: AttemptScope): Promise<TaskAttempt> {
  const { worker, options, id, connector, logger } = scope
  const { clock, random, registry } = worker
  const common = parseOrThrow(commonConnectorConfig, connector)
  const chain = createTransformChain(registry, connector)
  const converters = createConverters(registry, connector, options.properties)
  const plugin = scope.plugin as Extract<ConnectorPlugin, { readonly type: 'source' }>
  const task = plugin.createTask(scope.taskConfig as never, sourceContext(scope))
  const settings = clientSettings('producer', options.properties, connector)
  const overrides = producerOverrides(settings, logger)
  const admin = createAdminClient(scope)
  let client: Client
  try {
    client = worker.client(`connector-producer-${taskName(id)}`, settings.connection)
  } catch (error) {
    await admin.close() // nothing of an attempt that cannot be made stays open
    throw error
  }
  const producer = client.producer(overrides)
  const attempt = new SourceTaskAttempt(
    {
      clock,
      random,
      logger,
      reporter: scope.reporter,
      task,
      pipeline: {
        chain,
        converters,
        errors: new RecordErrors({ clock, random, logger }, recordErrorOptions(common)),
        producer,
        topics: new TopicCreator(
          { admin: admin.admin(), logger, onTopic: (topic) => options.onTopic(id, topic) },
          {
            rules: topicCreationRules(connector),
            isEnabled: options.config.topicCreationEnable,
          },
        ),
        storeOffsets: (offsets) => options.offsets.write(id.connector, offsets),
      },
    },
    {
      flushIntervalMs: options.config.offsetFlushIntervalMs,
      flushTimeoutMs: options.config.offsetFlushTimeoutMs,
    },
  )
  return closingClient(attempt, async () => {
    await producer.close()
    await Promise.all([client.close(), admin.close()])
  })
}

function sourceContext({ worker, options, id, task, logger }: AttemptScope): SourceTaskContext {
  return {
    clock: worker.clock,
    logger,
    connectorName: id.connector,
    taskId: id.task,
    properties: task,
    offsets: (partitions) => options.offsets.read(id.connector, partitions),
  }
}

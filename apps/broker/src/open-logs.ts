import type { Clock, Disk, Random } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import type { Controller } from '@millrace/controller'
import {
  logConfigDefinition,
  LogManager,
  topicDefaultsOfBroker,
  type LogConfig,
} from '@millrace/log'
import type { ReplicatedTopic } from '@millrace/replication'
import type { Logger } from '@millrace/telemetry'
import type { Closers } from './closers'
import type { DynamicConfig } from './configs/dynamic-config'

type LogConfigOf = (topic: Pick<ReplicatedTopic, 'configs'>) => LogConfig

/** Opens the logs of this broker, with the configs of their topics over the broker's as it is now. @throws LOG_* */
export async function openLogs(deps: {
  readonly controller: Controller
  readonly dynamicConfig: DynamicConfig
  readonly clock: Clock
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
  readonly onAllFailed?: (cause: unknown) => void
  readonly closers: Closers
}): Promise<{ logManager: LogManager; logConfigOf: LogConfigOf }> {
  const { controller, dynamicConfig, closers } = deps
  const { values } = dynamicConfig.current
  const logConfigOf: LogConfigOf = ({ configs }) => {
    const defaults = topicDefaultsOfBroker(dynamicConfig.current.given)
    return parseConfig(logConfigDefinition, { ...defaults, ...configs }).config
  }
  const { clusterId, topics } = controller.metadata()
  const logManager = await LogManager.open(deps, {
    directories: values.logDirs,
    nodeId: values.nodeId,
    clusterId,
    // LOG-6: a compacted topic must never be cleaned up by the broker's defaults, not even for the time of a start.
    configOf: (name) => logConfigOf(topics.get(name) ?? { configs: {} }),
    config: values,
  })
  closers.add('logs', () => logManager.close({ brokerEpoch: controller.brokerEpoch }))
  return { logManager, logConfigOf }
}

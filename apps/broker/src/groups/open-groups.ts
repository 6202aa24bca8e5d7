import type { Clock, Random } from '@millrace/base'
import { recordKinds, type Controller } from '@millrace/controller'
import { GroupCoordinator } from '@millrace/coordinator'
import type { ReplicaManager } from '@millrace/replication'
import type { Logger } from '@millrace/telemetry'
import type { DynamicConfig } from '../configs/dynamic-config'
import { createCoordinatorLog } from '../coordinator-log'
import { ImageTopics } from './image-topics'

interface GroupDeps {
  readonly replicas: ReplicaManager
  readonly controller: Controller
  readonly dynamicConfig: DynamicConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** The group coordinator on this broker's logs, topics and configs. */
export function openGroups(deps: GroupDeps): GroupCoordinator {
  const { replicas, controller, dynamicConfig, clock, random, logger } = deps
  const { values } = dynamicConfig.current
  const log = createCoordinatorLog(replicas)
  const topics = new ImageTopics(() => controller.metadata())
  const groupConfigs = (groupId: string) => ({
    // The only one that can be changed for all groups while the broker runs.
    'consumer.assignment.interval.ms': String(
      dynamicConfig.current.values.consumerAssignmentIntervalMs,
    ),
    ...controller.metadata().records(recordKinds.configs).get(`group/${groupId}`),
  })
  return new GroupCoordinator({ log, topics, groupConfigs, clock, random, logger }, values)
}

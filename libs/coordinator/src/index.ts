export { groupConfigDefinition, type GroupOptions } from './config'
export { OFFSETS_TOPIC, type CoordinatorLog } from './coordinator-log'
export { GroupCoordinator, type Client } from './group-coordinator'

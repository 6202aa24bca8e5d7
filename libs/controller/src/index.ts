export type { PartitionAssignment } from './assignment'
export {
  recordKinds,
  type PrincipalRecord,
  type RecordKind,
  type RecordsOf,
  type ScramRecord,
  type TokenRecord,
} from './cluster-records'
export {
  Controller,
  type Configs,
  type ControllerOptions,
  type MetadataListener,
  type TopicReference,
} from './controller'
export { controllerErrorCode, controllerErrorCodes } from './error-codes'
export { controllerErrors } from './errors'
export type {
  BrokerImage,
  MetadataImage,
  PartitionImage,
  TopicImage,
} from './metadata-image'
export type { ProducerIdBlock } from './producer-ids'
export { isInternalTopic, validateTopicName } from './topic-name'
export type { NewTopic } from './topics'

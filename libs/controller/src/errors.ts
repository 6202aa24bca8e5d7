import { defineErrors } from '@millrace/base'

/** Every row has its Kafka error code in error-codes.ts. */
export const controllerErrors = defineErrors({
  CONTROLLER_INVALID_TOPIC_NAME: {
    retriable: false,
    says: "topic name '{name}' is invalid: {reason}",
    todo: 'use 1 to 249 ASCII letters, digits, dots, underscores and dashes',
  },
  CONTROLLER_TOPIC_NAME_COLLIDES: {
    retriable: false,
    says: "topic name '{name}' collides with the existing topic '{existing}'",
    todo: 'pick a name that differs in more than dots and underscores: metric names cannot tell them apart',
  },
  CONTROLLER_TOPIC_EXISTS: {
    retriable: false,
    says: "topic '{name}' already exists",
    todo: 'use the existing topic or another name',
  },
  CONTROLLER_UNKNOWN_TOPIC: {
    retriable: true,
    says: "topic '{name}' does not exist",
    todo: 'create the topic, or check its name',
  },
  CONTROLLER_UNKNOWN_TOPIC_ID: {
    retriable: true,
    says: 'no topic has the id {id}',
    todo: 'the topic was deleted: look its name up again',
  },
  CONTROLLER_INVALID_PARTITIONS: {
    retriable: false,
    says: "partition count {given} for topic '{name}' is invalid: {reason}",
    todo: 'give a larger number of partitions',
  },
  CONTROLLER_INVALID_REPLICATION_FACTOR: {
    retriable: false,
    says: "replication factor {given} for topic '{name}' is invalid: {reason}",
    todo: 'ask for at most as many replicas as there are brokers',
  },
  CONTROLLER_INVALID_ASSIGNMENT: {
    retriable: false,
    says: "replica assignment for topic '{name}' is invalid: {reason}",
    todo: 'list each partition once from 0 on, each with the same number of distinct registered brokers',
  },
  CONTROLLER_INVALID_REQUEST: {
    retriable: false,
    says: "request for topic '{name}' is invalid: {reason}",
    todo: 'give either partitions and replication factor or a manual assignment',
  },
  CONTROLLER_INVALID_CONFIG: {
    retriable: false,
    says: "config of topic '{name}' is invalid: {problems}",
    todo: 'correct every listed key',
  },
  CONTROLLER_UNKNOWN_BROKER: {
    retriable: false,
    says: 'broker {id} is not registered',
    todo: 'check its number',
  },
  CONTROLLER_BROKER_IN_USE: {
    retriable: false,
    says: "broker {id} has replicas, of topic '{topic}' for one",
    todo: 'move its partitions away first',
  },
  CONTROLLER_CONTENTION: {
    retriable: true,
    says: '{what} lost against other changes {attempts} times',
    todo: 'try again',
  },
  CONTROLLER_BAD_METADATA: {
    retriable: false,
    says: 'metadata key {key} holds what this version cannot read: {reason}',
    todo: 'run the version that wrote it, or restore the metadata directory',
  },
  CONTROLLER_CLOSED: {
    retriable: true,
    says: 'the controller is closed',
    todo: 'the broker is shutting down: use another',
  },
})

export type ControllerErrorCode = keyof typeof controllerErrors.rows

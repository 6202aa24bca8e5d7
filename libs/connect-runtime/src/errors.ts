import { defineErrors, errorMessage } from '@millrace/base'
import { failureKind, type FailureKind } from '@millrace/connect-api'

export const connectErrors = defineErrors({
  CONNECT_CONNECTOR_NOT_FOUND: {
    retriable: false,
    says: 'Connector {name} not found',
    todo: 'GET /connectors lists the connectors that exist',
  },
  CONNECT_TASK_NOT_FOUND: {
    retriable: false,
    says: 'Task {name}-{task} not found',
    todo: 'GET /connectors/{name}/tasks lists the tasks that exist',
  },
  CONNECT_PLUGIN_NOT_FOUND: {
    retriable: false,
    says: 'Plugin {name} not found',
    todo: 'GET /connector-plugins lists what is installed; plugin.path adds more',
  },
  CONNECT_ALREADY_EXISTS: {
    retriable: false,
    says: 'Connector {name} already exists',
    todo: 'PUT /connectors/{name}/config replaces its configuration',
  },
  CONNECT_INVALID_CONFIG: {
    retriable: false,
    says: 'The connector configuration is not valid, {count} error(s):\n{problems}',
    todo: 'correct every listed key and send the request again',
  },
  CONNECT_INVALID_WORKER_CONFIG: {
    retriable: false,
    says: 'The worker configuration is not valid:\n{problems}',
    todo: 'correct every listed key and start the worker again',
  },
  CONNECT_BAD_REQUEST: {
    retriable: false,
    says: '{reason}',
    todo: 'correct the request',
  },
  CONNECT_NOT_STOPPED: {
    retriable: false,
    says: 'Connector {name} must be stopped before its offsets can be changed',
    todo: 'PUT /connectors/{name}/stop first',
  },
  CONNECT_REBALANCING: {
    retriable: true,
    says: 'The request cannot be completed while the group {group} rebalances',
    todo: 'try again in a moment',
  },
  CONNECT_NOT_LEADER: {
    retriable: true,
    says: 'This worker does not lead the group {group}; the leader is {leader}',
    todo: 'send the request to the leader',
  },
  CONNECT_TIMED_OUT: {
    retriable: true,
    says: 'Timed out after {ms} ms: {stage}',
    todo: 'look at the log of the worker and at the Kafka cluster, then try again',
  },
  CONNECT_STOPPING: {
    retriable: true,
    says: 'The worker is shutting down',
    todo: 'send the request to another worker',
  },
  CONNECT_TOPIC_NOT_COMPACTED: {
    retriable: false,
    says: 'Topic {topic} has cleanup.policy={policy}, so what Connect stores there would be lost',
    todo: 'set cleanup.policy=compact on the topic',
  },
  CONNECT_TOPIC_PARTITIONS: {
    retriable: false,
    says: 'Topic {topic} has {actual} partitions and must have {expected}',
    todo: 'use another topic as {key}',
  },
  CONNECT_PLACEHOLDER: {
    retriable: false,
    says: 'The placeholder {placeholder} cannot be resolved: {reason}',
    todo: 'set the variable or file that it names, or correct config.providers',
  },
  CONNECT_PLUGIN_LOAD: {
    retriable: false,
    says: 'The plugin package in {directory} cannot be loaded: {reason}',
    todo: 'it must be an npm package whose main module exports `plugins`',
  },
  CONNECT_BAD_GROUP_DATA: {
    retriable: false,
    says: 'A member of the Connect group sent {what} that cannot be read',
    todo: 'look for a program that joined the group with the same group.id',
  },
})

/** The failure class of anything thrown: a plugin's ConnectError, or an operational error that says it is retriable. */
export function classify(error: unknown): FailureKind {
  const kind = failureKind(error)
  if (kind !== 'fatal') return kind
  return (error as { retriable?: unknown } | null | undefined)?.retriable === true
    ? 'retriable'
    : 'fatal'
}

const TRACE_MAX_CHARS = 16_384

/** The stack of an error and of its causes, as `trace` in a status shows it. */
export function formatTrace(error: unknown): string {
  const parts: string[] = []
  const seen = new Set<unknown>()
  for (let current = error; current !== undefined && current !== null && !seen.has(current); ) {
    seen.add(current)
    const stack = (current as { stack?: unknown }).stack
    parts.push(typeof stack === 'string' ? stack : errorMessage(current))
    current = (current as { cause?: unknown }).cause
  }
  return parts.join('\nCaused by: ').slice(0, TRACE_MAX_CHARS)
}

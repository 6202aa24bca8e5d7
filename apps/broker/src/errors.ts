import { defineErrors } from '@millrace/base'

/** Failures of the broker app: what the command line prints in one line before it exits with 1. */
export const brokerErrors = defineErrors({
  BROKER_CONFIG_INVALID: {
    retriable: false,
    says: 'the broker configuration is not valid:\n{problems}',
    todo: 'correct the keys that are named',
  },
  BROKER_DIRECTORY_UNUSABLE: {
    retriable: false,
    says: 'directory {directory} cannot be used: {reason}',
    todo: 'create it and give this user the right to write in it, or choose another log.dirs',
  },
  BROKER_ADDRESS_IN_USE: {
    retriable: false,
    says: 'listener {listener} cannot use {host}:{port}: another process has that port',
    todo: 'stop that process, or give the listener another port',
  },
  BROKER_ADDRESS_UNAVAILABLE: {
    retriable: false,
    says: 'listener {listener} cannot use {host}:{port}: {reason}',
    todo: 'give the listener an address of this machine and a port that this user may open',
  },
  BROKER_METRICS_UNAVAILABLE: {
    retriable: false,
    says: 'metrics cannot be served on {host}:{port}: {reason}',
    todo: 'give metrics.http.listener an address of this machine and a port that is free',
  },
  BROKER_REQUEST_REFUSED: {
    retriable: false,
    says: '{reason}',
    todo: 'the connection was closed; see which client sent this',
  },
  BROKER_UNACKED_APPEND_FAILED: {
    retriable: true,
    says: 'an append with acks=0 failed on {topic}-{partition}: {reason}',
    todo: 'the connection is closed, since a client that takes no answer learns of failures only so',
  },
})

import { defineErrors } from '@millrace/base'

/** Failures of the replicas of this node; the wire code each becomes is in `log-error-codes.ts`. */
export const replicationErrors = defineErrors({
  REPLICATION_LOG_NOT_OPENED: {
    retriable: false,
    says: 'the log of {topic}-{partition} cannot be created',
    todo: 'see the cause; check that the log directory is writable and has room',
  },
})

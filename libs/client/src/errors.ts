import { defineErrors } from '@millrace/base'

export const clientErrors = defineErrors({
  CLIENT_NO_BROKER: {
    retriable: true,
    says: 'none of the brokers {servers} can be reached: {reason}',
    todo: 'check bootstrap.servers and that the cluster runs',
  },
  CLIENT_CONNECTION_LOST: {
    retriable: true,
    says: 'the connection to {address} was lost: {reason}',
    todo: 'it is opened again; if this repeats, look at the log of that broker',
  },
  CLIENT_LOGIN_FAILED: {
    retriable: false,
    says: '{address} refused the login by {mechanism}: {reason}',
    todo: 'check security.protocol, sasl.mechanism and sasl.jaas.config',
  },
  CLIENT_BROKER_NOT_TRUSTED: {
    retriable: false,
    says: 'the certificate of {address} is not trusted: {reason}',
    todo: 'check ssl.truststore.location and ssl.endpoint.identification.algorithm',
  },
  CLIENT_REQUEST_TIMEOUT: {
    retriable: true,
    says: '{address} did not answer {api} within {timeoutMs} ms',
    todo: 'the request is sent again; look at the load of that broker',
  },
  CLIENT_UNSUPPORTED_API: {
    retriable: false,
    says: '{address} serves {api} in no version that this client speaks',
    todo: 'update the broker or this program',
  },
  CLIENT_CLOSED: {
    retriable: false,
    says: 'the client was closed',
    todo: 'use a client that is still open',
  },
  CLIENT_RECORD_TOO_LARGE: {
    retriable: false,
    says: 'a record of about {bytes} bytes for topic {topic} is larger than the limit of {max}',
    todo: 'raise max.request.size of the producer and max.message.bytes of the topic, or make the record smaller',
  },
  CLIENT_DELIVERY_TIMEOUT: {
    retriable: true,
    says: 'records for {topic}-{partition} were not acknowledged within {timeoutMs} ms; the last error was {reason}',
    todo: 'check the brokers of the partition, or raise delivery.timeout.ms',
  },
  CLIENT_INVALID_PARTITION: {
    retriable: false,
    says: 'topic {topic} has no partition {partition}: it has {count}',
    todo: 'correct the partition, or add partitions to the topic',
  },
  CLIENT_GROUP_MOVED_ON: {
    retriable: true,
    says: 'the group {groupId} has moved on without this member: {reason}',
    todo: 'it joins again by itself; if this repeats, poll more often or raise session.timeout.ms',
  },
  CLIENT_NO_GROUP: {
    retriable: false,
    says: 'a consumer without group.id cannot {action}',
    todo: 'set group.id',
  },
  CLIENT_NOT_ASSIGNED: {
    retriable: false,
    says: '{topic}-{partition} is not assigned to this consumer',
    todo: 'use partitions between onAssigned and onRevoked only',
  },
  CLIENT_NO_OFFSET: {
    retriable: false,
    says: 'no offset is committed for {topic}-{partition}, and auto.offset.reset is none',
    todo: 'commit an offset or seek to one, or set auto.offset.reset to earliest or latest',
  },
  CLIENT_OFFSET_OUT_OF_RANGE: {
    retriable: false,
    says: '{topic}-{partition} does not hold offset {offset}, and auto.offset.reset is none',
    todo: 'seek to an offset that exists, or set auto.offset.reset to earliest or latest',
  },
  CLIENT_CORRUPT_BATCH: {
    retriable: false,
    says: 'the batch for offset {offset} of {topic}-{partition} is damaged: {reason}',
    todo: 'check the disk of the broker; seek past the batch to leave it out',
  },
})

import { defineErrors, errorCode, type PlatformError } from '@millrace/base'

/**
 * What can be wrong with bytes from a peer. None is worth a retry on the same connection: once a
 * frame cannot be read, nothing after it can be trusted, so the connection is closed.
 */
export const wireErrors = defineErrors({
  WIRE_TRUNCATED: {
    retriable: false,
    says: '{message} v{version} is cut short at byte {position} of {size}',
    todo: 'check the peer: it sent fewer bytes than its own lengths ask for',
  },
  WIRE_BAD_VARINT: {
    retriable: false,
    says: '{message} v{version} holds a malformed varint at byte {position}',
    todo: 'check that the peer speaks the Kafka protocol on this port',
  },
  WIRE_BAD_LENGTH: {
    retriable: false,
    says: '{message} v{version} holds the impossible length {length} at byte {position} of {size}',
    todo: 'check that the peer speaks the Kafka protocol on this port',
  },
  WIRE_UNEXPECTED_NULL: {
    retriable: false,
    says: '{field} is null in version {version}, which does not allow it',
    todo: 'check the peer: this field must have a value',
  },
  WIRE_BAD_TAG: {
    retriable: false,
    says: '{message} v{version} has a tagged field at byte {position} whose size does not fit its content',
    todo: 'check that the peer speaks the Kafka protocol on this port',
  },
  WIRE_BYTES_LEFT_OVER: {
    retriable: false,
    says: '{message} v{version} goes on after its last field: {count} bytes left over',
    todo: 'check the peer: it may send a newer layout under an older version number',
  },
  WIRE_UNKNOWN_VERSION: {
    retriable: false,
    says: '{message} has no version {version}; known are {min} to {max}',
    todo: 'negotiate the version with ApiVersions first',
  },
  WIRE_FRAME_SIZE: {
    retriable: false,
    says: 'a frame of {size} bytes was announced; allowed are 0 to {max}',
    todo: 'check that the peer speaks plain Kafka on this port, or raise socket.request.max.bytes',
  },
})

/** Whether an error is about malformed bytes from a peer, so that its connection must be closed. */
export function isWireError(error: unknown): error is PlatformError {
  return errorCode(error)?.startsWith('WIRE_') ?? false
}

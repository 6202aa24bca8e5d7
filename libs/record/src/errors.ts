import { defineErrors } from '@millrace/base'

/** What can be wrong with a batch or its records. */
export const recordErrors = defineErrors({
  RECORD_BAD_SIZE: {
    retriable: false,
    says: 'batch at byte {position} says it is {sizeBytes} bytes long, of {availableBytes} available; the least is 61',
    todo: 'the sender cut or damaged the batch; look at the client and the network between',
  },
  RECORD_BAD_MAGIC: {
    retriable: false,
    says: 'batch at byte {position} has format version {magic}; only version 2 is served',
    todo: 'upgrade the client to one that writes record batches v2 (Kafka 0.11 or later)',
  },
  RECORD_BAD_CRC: {
    retriable: false,
    says: 'batch at byte {position} has checksum {actual}, its header says {expected}',
    todo: 'the bytes changed after the producer summed them: check memory, disk and network',
  },
  RECORD_BAD_COUNT: {
    retriable: false,
    says: 'batch at byte {position} claims {recordCount} records but a last offset delta of {lastOffsetDelta}',
    todo: 'the client built a wrong header; report it to the authors of the client',
  },
  RECORD_BAD_TIMESTAMP: {
    retriable: false,
    says: 'timestamp {timestamp} is below -1, or more than a number can hold',
    todo: 'give the time as milliseconds since 1970, or -1 for none',
  },
  RECORD_UNKNOWN_CODEC: {
    retriable: false,
    says: 'compression codec {codec} is not known',
    todo: 'use none, gzip, snappy, lz4 or zstd',
  },
  RECORD_MALFORMED: {
    retriable: false,
    says: 'record {index} of the batch with base offset {baseOffset} is malformed: {reason}',
    todo: 'the client encoded the record wrongly; skip the offset or replace the batch',
  },
  RECORD_BAD_COMPRESSION: {
    retriable: false,
    says: '{codec} data of {sizeBytes} bytes cannot be decompressed: {reason}',
    todo: 'the client compressed the batch wrongly; skip its offsets or replace the batch',
  },
  RECORD_TOO_LARGE: {
    retriable: false,
    says: 'records would take more than {maxBytes} bytes in memory',
    todo: 'send smaller batches, or raise the limit if data of this size is expected',
  },
  RECORD_CODEC_UNAVAILABLE: {
    retriable: false,
    says: 'compression codec {codec} cannot be loaded on this platform',
    todo: 'install the optional native package of this platform, or choose another codec',
  },
})

import type { SinkRecord } from '@millrace/connect-api'

/** A file format for records, such as JSON lines, Avro or Parquet. */
export interface RecordFormat {
  /** With the dot: `.json`. */
  readonly extension: string
  /** A writer for one file. */
  createWriter(): RecordWriter
}

/** Turns the records of one file into bytes. */
export interface RecordWriter {
  /** @throws RecordError if the format cannot hold the value; the record then leaves no trace in the file */
  add(record: SinkRecord): void
  /** The bytes that are ready since the last call, often none; the caller owns them. */
  take(): readonly Buffer[]
  /** The rest of the file, once. */
  finish(): readonly Buffer[]
}

import type { KafkaHome, KafkaNode } from '../../peers/apache-kafka.ts'
import type { Postgres } from '../../peers/postgres.ts'
import type { Table } from './table.ts'
import type { Worker } from './worker.ts'

export interface Bed {
  readonly home: KafkaHome
  readonly kafka: KafkaNode
  readonly postgres: Postgres
  readonly table: Table
  /** For files of the scenarios. */
  readonly directory: string
  /** Of the worker. */
  readonly properties: Readonly<Record<string, string>>
  /** The one that runs now. */
  worker: Worker
  /** What to end apart from the worker, in the order of its start. */
  readonly closers: (() => Promise<void>)[]
}

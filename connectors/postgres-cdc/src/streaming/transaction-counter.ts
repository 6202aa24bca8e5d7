import {
  arrayOf,
  INT64,
  NO_HEADERS,
  OPTIONAL_INT64,
  type SourcePosition,
  SourceRecord,
  STRING,
  structOf,
} from '@millrace/connect-api'
import { TRANSACTION_KEY_SCHEMA, type TransactionBlock } from '../envelope'
import type { Row } from '../schema/row-decoder'
import type { TableSchema } from '../schema/table-schema'

const COLLECTION_SCHEMA = structOf(
  { data_collection: STRING, event_count: INT64 },
  { name: 'event.collection', version: 1, optional: true },
)
const VALUE_SCHEMA = structOf(
  {
    status: STRING,
    id: STRING,
    event_count: OPTIONAL_INT64,
    data_collections: arrayOf(COLLECTION_SCHEMA, { optional: true }),
    ts_ms: INT64,
  },
  { name: 'io.debezium.connector.common.TransactionMetadataValue', version: 1 },
)

/**
 * Numbers the events of one transaction after another (`provide.transaction.metadata`). Events that are skipped on resuming must
 * be counted too, so that the numbers are the same each time.
 */
export class TransactionCounter {
  #id = ''
  #total = 0
  readonly #perTable = new Map<string, number>()

  begin(txId: number, lsn: number): void {
    this.#id = `${txId}:${lsn}`
    this.#total = 0
    this.#perTable.clear()
  }

  get eventCount(): number {
    return this.#total
  }

  count(table: TableSchema): TransactionBlock {
    const name = `${table.schema}.${table.name}`
    const order = (this.#perTable.get(name) ?? 0) + 1
    this.#perTable.set(name, order)
    this.#total++
    return { id: this.#id, total_order: this.#total, data_collection_order: order }
  }

  /** The record of the transaction's begin or end. */
  boundary(
    status: 'BEGIN' | 'END',
    record: {
      readonly topic: string
      readonly tsMs: number
      readonly sourcePartition: SourcePosition
      readonly sourceOffset: SourcePosition
    },
  ): SourceRecord {
    const collections: Row[] = [...this.#perTable].map(([name, count]) => ({
      data_collection: name,
      event_count: count,
    }))
    return new SourceRecord({
      topic: record.topic,
      partition: null,
      keySchema: TRANSACTION_KEY_SCHEMA,
      key: { id: this.#id },
      valueSchema: VALUE_SCHEMA,
      value: {
        status,
        id: this.#id,
        event_count: status === 'END' ? this.#total : null,
        data_collections: status === 'END' ? collections : null,
        ts_ms: record.tsMs,
      },
      timestamp: null,
      headers: NO_HEADERS,
      sourcePartition: record.sourcePartition,
      sourceOffset: record.sourceOffset,
    })
  }
}

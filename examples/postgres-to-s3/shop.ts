/** The shop: its schema, its first rows, and the writers that keep it busy. */
import pg from 'pg'

const SCHEMA = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email text, joined_at timestamptz NOT NULL);
  CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id int NOT NULL REFERENCES customers(id), status text NOT NULL, total numeric(12,2) NOT NULL,
    note text, placed_on date NOT NULL, updated_at timestamp NOT NULL);`

/** Deterministic changes, ten per transaction: of five, three are updates, one an insert and one a delete. */
const CHURN = `
  CREATE PROCEDURE churn(change_count int, customer_count int, first_insert_id bigint, first_delete_id bigint, last_row_id bigint) LANGUAGE plpgsql AS $$
  DECLARE
    insert_id bigint := first_insert_id;
    delete_id bigint := first_delete_id;
    survivors bigint;
  BEGIN
    SET LOCAL synchronous_commit = off;
    FOR i IN 0 .. change_count - 1 LOOP
      CASE i % 5
        WHEN 0 THEN
          INSERT INTO orders VALUES (insert_id, 1 + insert_id % customer_count, 'new', (insert_id % 9999) / 7.0, 'placed by churn', '2026-02-03', now());
          insert_id := insert_id + 1;
        WHEN 1 THEN
          DELETE FROM orders WHERE id = delete_id;
          delete_id := delete_id + 1;
        ELSE
          survivors := last_row_id - delete_id + 1;
          UPDATE orders SET status = 'step ' || i, total = total + 0.01, updated_at = clock_timestamp()
            WHERE id = delete_id + (i * 7919::bigint) % survivors;
      END CASE;
      IF i % 10 = 9 THEN
        COMMIT;
        SET LOCAL synchronous_commit = off;
      END IF;
    END LOOP;
    COMMIT;
  END $$;`

const CUSTOMERS_MAX = 1000

const customersOf = (rows: number) => Math.max(1, Math.min(CUSTOMERS_MAX, Math.floor(rows / 10)))

/** The most changes that `churn` can make of a shop with so many rows: every fifth deletes an order. */
export function mostChanges(rows: number): number {
  return Math.max(0, 5 * (rows - customersOf(rows) - 1) + 1)
}

export class Shop {
  readonly #pool: pg.Pool
  #customerCount = 1
  #orderCount = 0
  /** Where the next call of `churn` goes on. */
  #nextInsertId = 1
  #nextDeleteId = 1

  constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url, max: 4 })
    // An idle connection broke: the pool opens another, and a query that cannot have one says why.
    this.#pool.on('error', () => {})
  }

  /** Makes the tables anew with up to 1,000 customers and enough orders that there are `rows` rows in all. */
  async create(rows: number): Promise<void> {
    const customers = customersOf(rows)
    this.#customerCount = customers
    this.#orderCount = rows - customers
    this.#nextInsertId = this.#orderCount + 1
    this.#nextDeleteId = 1
    await this.#pool.query('DROP TABLE IF EXISTS orders, customers; DROP PROCEDURE IF EXISTS churn')
    await this.#pool.query(SCHEMA)
    await this.#pool.query(CHURN)
    await this.#pool.query(
      `INSERT INTO customers SELECT i, 'Customer ' || i, CASE WHEN i % 7 > 0 THEN 'c' || i || '@shop.example' END, '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 hour'
       FROM generate_series(1, $1::int) i`,
      [customers],
    )
    await this.#pool.query(
      `INSERT INTO orders SELECT i, 1 + i % $2::int, (ARRAY['new', 'paid', 'sent', 'done'])[1 + i % 4], (i % 100000) / 100.0,
         CASE WHEN i % 3 = 0 THEN 'note "' || i || '" – grüße' END, '2026-01-01'::date + (i % 300)::int, '2026-01-01'::timestamp + i * interval '1 second'
       FROM generate_series(1, $1::bigint) i`,
      [this.#orderCount, customers],
    )
  }

  /** Commits exactly `changeCount` row changes, ten per transaction. May be called again, for further changes. */
  async churn(changeCount: number): Promise<void> {
    const nextDeleteId = this.#nextDeleteId + Math.ceil((changeCount - 1) / 5)
    if (nextDeleteId > this.#orderCount) {
      throw new RangeError(
        `${changeCount} changes delete the orders up to ${nextDeleteId - 1}, but there are ${this.#orderCount}: take more --rows`,
      )
    }
    await this.#pool.query(
      `CALL churn(${changeCount}, ${this.#customerCount}, ${this.#nextInsertId}, ${this.#nextDeleteId}, ${this.#orderCount})`,
    )
    this.#nextInsertId += Math.ceil(changeCount / 5)
    this.#nextDeleteId = nextDeleteId
  }

  /** One small transaction, as a web shop makes them. */
  async sell(): Promise<void> {
    const id = 1_000_000_000 + Math.floor(Math.random() * 1e9)
    await this.#pool.query(
      `INSERT INTO orders VALUES ($1::bigint, 1 + $1::bigint % $2::int, 'new', 19.90, NULL, now()::date, now()) ON CONFLICT (id) DO UPDATE SET status = 'again'`,
      [id, this.#customerCount],
    )
    if (id % 3 === 0)
      await this.#pool.query(`UPDATE orders SET status = 'paid' WHERE id = $1`, [id])
    if (id % 10 === 0) await this.#pool.query('DELETE FROM orders WHERE id = $1', [id])
  }

  /** Every row by table and id, each as the JSON text that the change events should end with. */
  async *rows(table: 'customers' | 'orders'): AsyncGenerator<Record<string, string | null>> {
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN READ ONLY')
      await client.query(`DECLARE all_rows CURSOR FOR SELECT * FROM ${table}`)
      for (;;) {
        const { rows } = await client.query({ text: 'FETCH 10000 FROM all_rows', types: RAW_TEXT })
        if (rows.length === 0) break
        yield* rows as Record<string, string | null>[]
      }
      await client.query('COMMIT')
    } finally {
      client.release()
    }
  }

  /** Removes the tables, and what a connector left in a server that goes on living. */
  async drop(slotName: string, publicationName: string): Promise<void> {
    await this.#pool.query('DROP TABLE IF EXISTS orders, customers; DROP PROCEDURE IF EXISTS churn')
    await this.#pool.query(`DROP PUBLICATION IF EXISTS ${publicationName}`)
    await this.#pool.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active',
      [slotName],
    )
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}

const RAW_TEXT = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig

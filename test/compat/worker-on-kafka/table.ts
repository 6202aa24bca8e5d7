/** A Postgres table that is written to and remembers the events that must come of it. */
import { Client } from 'pg'

export interface Row {
  readonly id: number
  readonly item: string
  readonly amount: number
}

export interface RowEvent {
  readonly op: 'r' | 'c' | 'u' | 'd'
  readonly before: Row | null
  readonly after: Row | null
}

export class Table {
  readonly name: string
  /** In the order of the changes, as if all rows had been there before the snapshot: `streaming` tells from where on not. */
  readonly events: RowEvent[] = []
  readonly #client: Client
  readonly #rows = new Map<number, Row>()
  #nextId = 1
  #isStreaming = false

  private constructor(client: Client, name: string) {
    this.#client = client
    this.name = name
  }

  static async create(url: string, name: string): Promise<Table> {
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(`CREATE TABLE ${name} (id int PRIMARY KEY, item text, amount int)`)
    // So that an event has the whole row from before.
    await client.query(`ALTER TABLE ${name} REPLICA IDENTITY FULL`)
    return new Table(client, name)
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()].sort((a, b) => a.id - b.id)
  }

  /** The snapshot is over: what is inserted from now on is a change. */
  streaming(): void {
    this.#isStreaming = true
  }

  async insert(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const id = this.#nextId++
      const row = { id, item: `item ${id} – ½ "x"`, amount: id * 7 }
      await this.#query('INSERT INTO # VALUES ($1, $2, $3)', [row.id, row.item, row.amount])
      this.#note(this.#isStreaming ? 'c' : 'r', null, row)
    }
  }

  async update(id: number): Promise<void> {
    const before = this.#rows.get(id)!
    const after = { ...before, amount: before.amount + 1 }
    await this.#query('UPDATE # SET amount = $2 WHERE id = $1', [id, after.amount])
    this.#note('u', before, after)
  }

  async delete(id: number): Promise<void> {
    await this.#query('DELETE FROM # WHERE id = $1', [id])
    this.#note('d', this.#rows.get(id)!, null)
  }

  close(): Promise<void> {
    return this.#client.end()
  }

  async #query(text: string, values: readonly unknown[]): Promise<void> {
    await this.#client.query(text.replace('#', this.name), [...values])
  }

  #note(op: RowEvent['op'], before: Row | null, after: Row | null): void {
    this.events.push({ op, before, after })
    if (after === null) this.#rows.delete(before!.id)
    else this.#rows.set(after.id, after)
  }
}

/** How the columns of the shop stand in change events and in Postgres, both brought to one form. */
interface Column {
  readonly name: string
  readonly fromEvent: (value: unknown) => string | null
  readonly fromDatabase: (text: string | null) => string | null
}

const text = (name: string): Column => ({
  name,
  fromEvent: (value) => (value === null ? null : String(value as string | number)),
  fromDatabase: (value) => value,
})

const MS_PER_DAY = 86_400_000

const date = (name: string): Column => ({
  name,
  fromEvent: (value) => new Date(Number(value) * MS_PER_DAY).toISOString().slice(0, 10),
  fromDatabase: (value) => value,
})

/** io.debezium.time.MicroTimestamp: microseconds since the epoch, without a zone. */
const microTimestamp = (name: string): Column => ({
  name,
  fromEvent: (value) => String(value),
  fromDatabase: (value) => String(microsOf(`${value}Z`)),
})

/** io.debezium.time.ZonedTimestamp: ISO text in GMT. */
const zonedTimestamp = (name: string): Column => ({
  name,
  fromEvent: (value) => String(microsOf(String(value))),
  fromDatabase: (value) => String(microsOf(String(value).replace(/([+-]\d\d)$/, '$1:00'))),
})

function microsOf(value: string): number {
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? ''
  const wholeSeconds = Date.parse(value.replace(/\.\d+/, '').replace(' ', 'T'))
  return wholeSeconds * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

const TABLES: Readonly<Record<string, readonly Column[]>> = {
  customers: [text('id'), text('name'), text('email'), zonedTimestamp('joined_at')],
  orders: [
    text('id'),
    text('customer_id'),
    text('status'),
    text('total'),
    text('note'),
    date('placed_on'),
    microTimestamp('updated_at'),
  ],
}

export function eventColumns(table: string): readonly Column[] {
  return TABLES[table]
}

import { deepStrictEqual } from 'node:assert'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, waitFor } from '../wait.ts'
import type { Bed } from './bed.ts'
import { readTopic } from './console.ts'
import { ask, call, untilState } from './rest.ts'
import type { Row, RowEvent } from './table.ts'
import { startWorker } from './worker.ts'

const STRING = 'org.apache.kafka.connect.storage.StringConverter'
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const LINES_TOPIC = 'lines'
const CHANGES_TOPIC = 'shop.public.orders'
const running = { connector: 'RUNNING', tasks: ['RUNNING'] }
const FILE_LINES = 5_000
const DOWN_MS = 4_000
const RECOVERY_MAX_MS = 90_000

/** File source, topic, file sink. */
export async function copyFile(bed: Bed): Promise<void> {
  const lines = Array.from({ length: FILE_LINES }, (_, index) => `line ${index} – ½`)
  writeFileSync(inputFile(bed), `${lines.join('\n')}\n`)
  await createConnector(bed, 'lines', {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    file: inputFile(bed),
    topic: LINES_TOPIC,
    'value.converter': STRING,
  })
  await createConnector(bed, 'copy', {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    file: outputFile(bed),
    topics: LINES_TOPIC,
    'value.converter': STRING,
  })
  await waitFor('all lines', () => outputLines(bed).length >= lines.length)
  deepStrictEqual(outputLines(bed), lines)
  const records = await readTopic(bed.home, bed.kafka.bootstrap, LINES_TOPIC)
  deepStrictEqual(
    records.map(({ value }) => value),
    lines,
  )
}

/** Rows from before the connector, and every kind of change after it. */
export async function streamChanges(bed: Bed): Promise<void> {
  const { table, postgres } = bed
  await table.insert(200)
  await createConnector(bed, 'shop', {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'plugin.name': 'pgoutput',
    'database.hostname': postgres.host,
    'database.port': String(postgres.port),
    'database.user': 'postgres',
    'database.password': 'none',
    'database.dbname': 'postgres',
    'topic.prefix': 'shop',
    'table.include.list': 'public.orders',
    'key.converter': JSON_CONVERTER,
    'key.converter.schemas.enable': 'false',
    'value.converter': JSON_CONVERTER,
    'value.converter.schemas.enable': 'false',
  })
  await untilSnapshotStored(bed)
  table.streaming()
  await table.insert(50)
  for (let id = 1; id <= 30; id += 1) await table.update(id)
  for (let id = 31; id <= 40; id += 1) await table.delete(id)
  await untilAllStored(bed)
  deepStrictEqual(await changeEvents(bed), table.events)
}

/** Ends the worker in order, and starts it when more has happened. */
export async function goOnAfterRestart(bed: Bed): Promise<void> {
  const { table } = bed
  await bed.worker.stop()
  appendFileSync(inputFile(bed), 'while away\n')
  await table.insert(20)
  await table.update(1)
  await table.delete(2)
  bed.worker = await startWorker(bed.properties)
  for (const name of ['lines', 'copy', 'shop']) await untilState(bed.worker.url, name, running)
  await table.insert(5)
  await untilAllStored(bed)
  // Once each: a worker that was stopped in order has stored every offset.
  deepStrictEqual(await changeEvents(bed), table.events)
  await waitFor('the last line', () => outputLines(bed).at(-1) === 'while away')
  deepStrictEqual(outputLines(bed).length, FILE_LINES + 1)
}

/** `kill -9` while both pipelines work; what is sent again may be there twice. */
export async function surviveKafka(bed: Bed): Promise<void> {
  const { table, kafka } = bed
  const written: string[] = []
  let isOver = false
  const write = async () => {
    for (let round = 0; !isOver; round += 1) {
      await table.insert(2)
      await table.update(table.rows[0].id)
      written.push(`during ${round}`)
      appendFileSync(inputFile(bed), `during ${round}\n`)
      await sleep(10)
    }
  }
  const writing = write()
  try {
    await sleep(1_000)
    await kafka.kill()
    await sleep(DOWN_MS)
    await kafka.restart()
    await sleep(1_000)
  } finally {
    isOver = true
    await writing
  }
  await waitFor('all lines', () => outputLines(bed).at(-1) === written.at(-1), RECOVERY_MAX_MS)
  for (const name of ['lines', 'copy', 'shop']) await untilState(bed.worker.url, name, running)
  await untilAllStored(bed)
  const events = await changeEvents(bed)
  deepStrictEqual(withoutRepeats(events), withoutRepeats(table.events))
  deepStrictEqual(rowsAfter(events), table.rows)
  const during = outputLines(bed).filter((line) => line.startsWith('during'))
  deepStrictEqual([...new Set(during)], written)
}

async function createConnector(
  { worker }: Bed,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  await ask(worker.url, 'PUT', `/connectors/${name}/config`, config)
  await untilState(worker.url, name, running)
}

/** Events come in order: when the last one is there, all are. */
async function untilAllStored(bed: Bed): Promise<void> {
  const { table } = bed
  const last = table.rows.at(-1)!
  await table.update(last.id)
  const wanted = JSON.stringify(table.events.at(-1)!.after)
  await waitFor(
    'the last change in the topic',
    async () => {
      const events = await changeEvents(bed)
      return events.some(({ after }) => JSON.stringify(after) === wanted)
    },
    RECOVERY_MAX_MS,
  )
}

async function untilSnapshotStored({ worker }: Bed): Promise<void> {
  await waitFor('the offset of a completed snapshot', async () => {
    const answer = await call(worker.url, { method: 'GET', path: '/connectors/shop/offsets' })
    return answer.text.includes('"snapshot_completed":true')
  })
}

/** The change events of the table as the topic has them, without the tombstones of deleted rows. */
async function changeEvents({ home, kafka }: Bed): Promise<RowEvent[]> {
  const records = await readTopic(home, kafka.bootstrap, CHANGES_TOPIC)
  return records.flatMap(({ value }) => {
    if (value === null) return []
    const { op, before, after } = JSON.parse(value) as RowEvent
    return { op, before, after }
  })
}

function withoutRepeats(events: readonly RowEvent[]): string[] {
  return [...new Set(events.map((event) => JSON.stringify(event)))]
}

/** The table that a reader of the events ends with. */
function rowsAfter(events: readonly RowEvent[]): Row[] {
  const rows = new Map<number, Row>()
  for (const { before, after } of events) {
    if (after === null) rows.delete(before!.id)
    else rows.set(after.id, after)
  }
  return [...rows.values()].sort((a, b) => a.id - b.id)
}

const inputFile = ({ directory }: Bed) => join(directory, 'in.txt')
const outputFile = ({ directory }: Bed) => join(directory, 'out.txt')

function outputLines(bed: Bed): string[] {
  if (!existsSync(outputFile(bed))) return []
  return readFileSync(outputFile(bed), 'utf8').split('\n').slice(0, -1)
}

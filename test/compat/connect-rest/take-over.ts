/** One side ends; the other goes on from its config, offset and status topics. */
import { deepStrictEqual } from 'node:assert'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startConnect } from '../../peers/apache-kafka.ts'
import { waitFor } from '../wait.ts'
import { ask, untilState } from '../worker-on-kafka/rest.ts'
import { clusterProperties, startWorker } from '../worker-on-kafka/worker.ts'
import type { Bed, BedSide } from './bed.ts'

const STRING = 'org.apache.kafka.connect.storage.StringConverter'
const running = { connector: 'RUNNING', tasks: ['RUNNING'] }
const paused = { connector: 'PAUSED', tasks: ['PAUSED'] }
/** Members of a group that ended without leaving are waited for. */
const GROUP_WAIT_MS = 60_000

interface RunningWorker {
  readonly url: string
  readonly stop: () => Promise<void>
}

export async function millraceGoesOn(bed: Bed): Promise<void> {
  const { kafka } = bed.theirs
  await goesOn(bed, bed.theirs, () => startWorker(clusterProperties(kafka.bootstrap, 'connect')))
}

export async function kafkaConnectGoesOn(bed: Bed): Promise<void> {
  const { kafka } = bed.ours
  const properties = clusterProperties(kafka.bootstrap, 'connect')
  await goesOn(bed, bed.ours, () => startConnect(bed.home, properties))
}

/** A source and a sink that have worked, and a source that is paused, under one worker and then under the next. */
async function goesOn(
  bed: Bed,
  side: BedSide,
  startNext: () => Promise<RunningWorker>,
): Promise<void> {
  const input = join(side.directory, 'handed-over.txt')
  const output = join(side.directory, 'handed-over-copy.txt')
  const lines = () => readFileSync(output, 'utf8').split('\n').slice(0, -1)
  writeFileSync(input, 'before 1\nbefore 2\n')
  await createConnectors(side, input, output)
  await waitFor('the first lines', () => lines().length === 2, GROUP_WAIT_MS)
  const offsets = (url: string) => ask(url, 'GET', '/connectors/over-in/offsets')
  const expected = [{ partition: { filename: input }, offset: { position: 18 } }]
  await waitFor('stored offsets', async () => {
    const found = (await offsets(side.url)) as { offsets: unknown }
    return JSON.stringify(found.offsets) === JSON.stringify(expected)
  })
  const config = await ask(side.url, 'GET', '/connectors/over-in/config')
  await side.stop()

  appendFileSync(input, 'meanwhile\n')
  const next = await startNext()
  bed.closers.push(next.stop)
  await waitFor('the config topic', async () => (await names(next.url)).includes('over-in'))
  deepStrictEqual(await ask(next.url, 'GET', '/connectors/over-in/config'), config)
  await untilState(next.url, 'over-in', running)
  await untilState(next.url, 'over-out', running)
  await untilState(next.url, 'over-paused', paused)
  appendFileSync(input, 'after\n')
  await waitFor('the lines of afterwards', () => lines().includes('after'), GROUP_WAIT_MS)
  // Nothing is read twice: source and sink go on where the worker before had stored that it was.
  deepStrictEqual(lines(), ['before 1', 'before 2', 'meanwhile', 'after'])
  await ask(next.url, 'PUT', '/connectors/over-paused/resume')
  await untilState(next.url, 'over-paused', running)
  for (const name of ['over-in', 'over-out', 'over-paused'])
    await ask(next.url, 'DELETE', `/connectors/${name}`)
}

async function createConnectors(side: BedSide, input: string, output: string): Promise<void> {
  const source = {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    file: input,
    topic: 'handed-over',
    'value.converter': STRING,
  }
  const sink = {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    file: output,
    topics: 'handed-over',
    'value.converter': STRING,
  }
  await ask(side.url, 'PUT', '/connectors/over-in/config', source)
  await untilState(side.url, 'over-in', running)
  await ask(side.url, 'PUT', '/connectors/over-out/config', sink)
  await untilState(side.url, 'over-out', running)
  await ask(side.url, 'PUT', '/connectors/over-paused/config', { ...source, topic: 'paused' })
  await untilState(side.url, 'over-paused', running)
  await ask(side.url, 'PUT', '/connectors/over-paused/pause')
  await untilState(side.url, 'over-paused', paused)
}

function names(url: string): Promise<readonly string[]> {
  return ask(url, 'GET', '/connectors')
}

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Millrace } from '../../../examples/postgres-to-s3/millrace'
import { FolderReader } from '../../../examples/postgres-to-s3/objects'
import { CleanUps, describeWithPostgres, fourPorts, untilTask } from './harness'
import { keepBusy, Pipeline } from './pipeline'
import { eventually } from '../wait'

const ROWS = 60_000
const CHANGES_PER_ROUND = 100
const ROUND_PAUSE_MS = 100
const SNAPSHOT_KILLS = 4
const STREAM_KILLS = 6
/** Of how many starts one is killed, too. */
const KILLED_STARTS = 1 / 5

jest.setTimeout(150_000)

const cleanUps = new CleanUps()
afterEach(() => cleanUps.run())

/** MILLRACE_SEED repeats the moments of a run, as far as the machine repeats itself. */
const seed = Number(process.env.MILLRACE_SEED ?? Math.floor(Math.random() * 1e9))

describeWithPostgres('kill -9 in the middle of the work', () => {
  it(`loses nothing and keeps the order, ten times at random moments (MILLRACE_SEED=${seed})`, async () => {
    const random = randomOf(seed)
    const objects = new FolderReader(join(cleanUps.directory(), 'objects'))
    const pipeline = await Pipeline.start(cleanUps, { rows: ROWS, objects })
    const kill = () => pipeline.killAndRestart(random() < KILLED_STARTS ? random() * 800 : null)
    await pipeline.explain(async () => {
      for (let killCount = 0; killCount < SNAPSHOT_KILLS; killCount += 1) {
        await untilSnapshotAt(pipeline, (random() * ROWS) / 2)
        await kill()
      }
      await eventually(async () => expect(await pipeline.isSnapshotDone()).toBe(true))

      const { shop } = pipeline
      const commit = async () => {
        await shop.churn(CHANGES_PER_ROUND)
        return CHANGES_PER_ROUND
      }
      const sales = keepBusy(commit, { pauseMs: ROUND_PAUSE_MS, mayFail: false })
      for (let killCount = 0; killCount < STREAM_KILLS; killCount += 1) {
        await pipeline.untilRunning()
        await sleep(random() * 3_000)
        await kill()
      }
      const changes = await sales.stop()

      await pipeline.untilRunning()
      await pipeline.untilComplete(changes)
      expect(await pipeline.millrace.stop()).toBe(0)
    })
  })
})

describe('after kill -9', () => {
  it('every connector is at work when the program says that it is ready, or soon after', async () => {
    const directory = cleanUps.directory()
    const at = (name: string) => join(directory, name)
    const options = { ports: await fourPorts() }
    let millrace = await Millrace.start(at('data'), options)
    cleanUps.add(() => millrace.kill())
    // One after the other, so that each is shared out in a round of its own.
    for (const name of ['a', 'b', 'c']) {
      const topic = `lines-${name}`
      writeFileSync(at(`${name}.in`), 'one\n')
      await millrace.createConnector(`source-${name}`, {
        'connector.class': 'FileStreamSource',
        file: at(`${name}.in`),
        topic,
        ...STRINGS,
      })
      await untilTask(millrace, `source-${name}`, 'RUNNING')
      await millrace.createConnector(`sink-${name}`, {
        'connector.class': 'FileStreamSink',
        file: at(`${name}.out`),
        topics: topic,
        ...STRINGS,
      })
      await untilTask(millrace, `sink-${name}`, 'RUNNING')
    }
    const arrived = (name: string) =>
      existsSync(at(`${name}.out`))
        ? new Set(readFileSync(at(`${name}.out`), 'utf8').split('\n'))
        : null
    await eventually(() => expect(arrived('c')).toContain('one'))

    await millrace.kill()
    millrace = Millrace.launch(at('data'), options)
    await millrace.ready()
    const { connectors } = await millrace.connectors()
    expect(connectors).toHaveLength(6) // known as soon as it is ready
    for (const name of ['a', 'b', 'c']) appendFileSync(at(`${name}.in`), 'two\n')
    // Well under the ten seconds after which a group gives up a member.
    for (const name of ['a', 'b', 'c']) {
      await eventually(() => expect(arrived(name)).toContain('two'), 5_000)
    }
    expect(await millrace.stop()).toBe(0)
  })
})

const STRINGS = {
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
}

/** So many records further than now, or until the snapshot is over. */
async function untilSnapshotAt(pipeline: Pipeline, moreRecords: number): Promise<void> {
  const goal = (await pipeline.recordCount()) + moreRecords
  await eventually(async () => {
    const count = await pipeline.recordCount()
    if (count >= goal || (await pipeline.isSnapshotDone())) return
    throw new Error(`the snapshot stands at ${count} of ${goal} records`)
  })
}

/** mulberry32 */
function randomOf(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

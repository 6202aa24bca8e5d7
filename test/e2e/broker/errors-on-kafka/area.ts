/**
 * What a client is told that asks for something wrong, scenario by scenario. The answers below `answers` are those of Apache
 * Kafka. `MILLRACE_ASK_KAFKA=1` asks it again, which takes five minutes, and `MILLRACE_RECORD=1` writes down what it says.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findKafka } from '../../../peers/apache-kafka'
import { Script, type Scenario } from './script'
import { type Server, startOurs, startTheirs } from './server'

/** Of a start, and of a stop: the scenarios leave some thousand logs behind that are synced. */
const START_STOP_MAX_MS = 180_000
const AT_A_TIME = 8
const NOT_ASKED = { missing: 'MILLRACE_ASK_KAFKA=1' }
const isRecording = process.env.MILLRACE_RECORD === '1'

type Answers = Record<string, string[]>

interface AreaOptions {
  /** Why an answer differs, by the title of its scenario; then it must differ. */
  readonly ourWay?: Readonly<Record<string, string>>
  readonly kafkaAtATime?: number
}

export function compareArea(
  area: string,
  scenarios: readonly Scenario[],
  { ourWay = {}, kafkaAtATime = AT_A_TIME }: AreaOptions = {},
): void {
  const file = join(__dirname, 'answers', `${area}.json`)
  const recorded = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Answers) : {}
  const titles = scenarios.map(({ title }) => title)

  it(`${area}: each scenario has a title of its own, and each difference a scenario`, () => {
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
    expect(Object.keys(ourWay).filter((title) => !titles.includes(title))).toEqual([])
  })

  describe(`${area}: this broker`, () => {
    const run = new Run(area, scenarios, AT_A_TIME)
    beforeAll(async () => run.begin(await startOurs()), START_STOP_MAX_MS)
    afterAll(() => run.close(), START_STOP_MAX_MS)

    it.each(titles)('answers as Kafka does: %s', async (title) => {
      const answers = await run.answersTo(title)
      if (title in ourWay) expect(answers).not.toEqual(recorded[title])
      else expect(answers).toEqual(recorded[title])
    })
  })

  const home = isRecording || process.env.MILLRACE_ASK_KAFKA === '1' ? findKafka() : NOT_ASKED
  if ('missing' in home) {
    it.skip(`${area}: Kafka still answers as written down (missing: ${home.missing})`, () => {})
    return
  }
  describe(`${area}: Kafka`, () => {
    const run = new Run(area, scenarios, kafkaAtATime)
    const fresh: Answers = {}
    beforeAll(async () => run.begin(await startTheirs(home)), START_STOP_MAX_MS)
    afterAll(async () => {
      await run.close()
      if (isRecording) writeFileSync(file, `${JSON.stringify(fresh, null, 1)}\n`)
    }, START_STOP_MAX_MS)

    it.each(titles)('answers as written down: %s', async (title) => {
      fresh[title] = await run.answersTo(title)
      if (!isRecording) expect(fresh[title]).toEqual(recorded[title])
    })
  })
}

/** All scenarios against one server, several at a time: they share nothing, and mostly wait. */
class Run {
  readonly #area: string
  readonly #scenarios: readonly Scenario[]
  readonly #atATime: number
  readonly #answers = new Map<string, Promise<string[]>>()
  #server: Server | null = null

  constructor(area: string, scenarios: readonly Scenario[], atATime: number) {
    this.#area = area
    this.#scenarios = scenarios
    this.#atATime = atATime
  }

  begin(server: Server): void {
    this.#server = server
    const lanes: Promise<unknown>[] = Array.from({ length: this.#atATime }, () => Promise.resolve())
    for (const [index, scenario] of this.#scenarios.entries()) {
      const before = lanes[index % this.#atATime]
      const name = `${this.#area}-${index}`
      const answers = before.then(() => Script.answersTo(server, name, scenario))
      this.#answers.set(scenario.title, answers)
      lanes[index % this.#atATime] = answers.catch(() => undefined)
    }
  }

  answersTo(title: string): Promise<string[]> {
    return this.#answers.get(title)!
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#answers.values())
    await this.#server?.stop()
  }
}

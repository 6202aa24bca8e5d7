/**
 * Kafka Connect and our worker side by side, each on an Apache Kafka of its own: the same REST calls must give the same
 * answers and the same records on the internal topics; then each side takes over what the other has left.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KafkaHome, prepareKafka, startConnect, startKafka } from '../../peers/apache-kafka.ts'
import type { OpenSuite, Suite } from '../suite.ts'
import { clusterProperties, startWorker } from '../worker-on-kafka/worker.ts'
import { type Bed, closeAll } from './bed.ts'
import { compareAnswers, type Difference } from './compare.ts'
import { compareInternalTopics } from './internal-topics.ts'
import { knownDifference, knownDifferences } from './known-differences.ts'
import { replay } from './replay.ts'
import { script } from './script.ts'
import { kafkaConnectGoesOn, millraceGoesOn } from './take-over.ts'

const SHOWN_MAX = 10

export const connectRest: Suite = {
  name: 'connect-rest',
  async open() {
    const home = await prepareKafka()
    return 'missing' in home ? home : openSuite(home)
  },
}

async function openSuite(home: KafkaHome): Promise<OpenSuite> {
  const bed = await openBed(home)
  return {
    version: home.version,
    scenarios: [
      { name: 'the same calls have the same answers', run: () => playAndCompare(bed) },
      { name: 'the internal topics hold the same records', run: () => compareInternalTopics(bed) },
      { name: 'our worker takes over a cluster of Kafka Connect', run: () => millraceGoesOn(bed) },
      { name: 'Kafka Connect takes over a cluster of ours', run: () => kafkaConnectGoesOn(bed) },
    ],
    close: () => closeAll(bed),
  }
}

async function openBed(home: KafkaHome): Promise<Bed> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-connect-rest-'))
  const directoryOf = (side: string) => {
    const path = join(directory, side)
    mkdirSync(path)
    writeFileSync(join(path, 'in.txt'), 'one\ntwo\nthree\n')
    return path
  }
  const closers: (() => Promise<void>)[] = [
    async () => rmSync(directory, { recursive: true, force: true }),
  ]
  const closing = <S extends { readonly stop: () => Promise<void> }>(server: S): S => {
    closers.push(server.stop)
    return server
  }
  try {
    const theirKafka = closing(await startKafka(home))
    const ourKafka = closing(await startKafka(home))
    const properties = (bootstrap: string) => clusterProperties(bootstrap, 'connect')
    const connect = closing(await startConnect(home, properties(theirKafka.bootstrap)))
    const worker = closing(await startWorker(properties(ourKafka.bootstrap)))
    return {
      home,
      theirs: { ...connect, kafka: theirKafka, directory: directoryOf('theirs') },
      ours: { ...worker, kafka: ourKafka, directory: directoryOf('ours') },
      closers,
    }
  } catch (error) {
    for (const close of closers.reverse()) await close()
    throw error
  }
}

async function playAndCompare({ theirs, ours }: Bed): Promise<void> {
  const [theirAnswers, ourAnswers] = await Promise.all([
    replay(script, theirs),
    replay(script, ours),
  ])
  const differences = script.flatMap(({ title }) =>
    compareAnswers(title, theirAnswers.get(title)!, ourAnswers.get(title)!),
  )
  const known = new Set(differences.map(knownDifference))
  const gone = knownDifferences.filter((difference) => !known.has(difference))
  if (gone.length > 0) throw new Error(`differs no longer: ${gone[0].what}`)
  const unknown = differences.filter((difference) => knownDifference(difference) === undefined)
  if (unknown.length === 0) return
  for (const difference of unknown) process.stderr.write(`${format(difference)}\n`)
  const shown = unknown.slice(0, SHOWN_MAX).map(format).join('; ')
  throw new Error(`${unknown.length} differences: ${shown}`)
}

function format({ title, where, theirs, ours }: Difference): string {
  return `${title}: ${where}: Kafka Connect ${theirs}, Millrace ${ours}`
}

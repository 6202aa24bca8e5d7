/** Our Connect worker on a real Apache Kafka: what it writes, where it goes on, and what it does when Kafka is killed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KafkaHome, prepareKafka, startKafka } from '../../peers/apache-kafka.ts'
import { missingPostgres, startPostgres } from '../../peers/postgres.ts'
import type { OpenSuite, Suite } from '../suite.ts'
import type { Bed } from './bed.ts'
import { checkFormats, checkTopics } from './internal-topics.ts'
import { copyFile, goOnAfterRestart, streamChanges, surviveKafka } from './pipelines.ts'
import { Table } from './table.ts'
import { clusterProperties, startWorker } from './worker.ts'

export const workerOnKafka: Suite = {
  name: 'worker-on-kafka',
  async open() {
    const home = await prepareKafka()
    if ('missing' in home) return home
    const missing = missingPostgres()
    return missing === null ? openSuite(home) : { missing }
  },
}

async function openSuite(home: KafkaHome): Promise<OpenSuite> {
  const bed = await openBed(home)
  return {
    version: home.version,
    scenarios: [
      { name: 'the internal topics are created as Connect has them', run: () => checkTopics(bed) },
      { name: 'a file goes through a topic into a file', run: () => copyFile(bed) },
      { name: 'Postgres rows and changes arrive one by one', run: () => streamChanges(bed) },
      { name: 'a restarted worker goes on from its offsets', run: () => goOnAfterRestart(bed) },
      { name: 'nothing is lost when Kafka is killed', run: () => surviveKafka(bed) },
      { name: "the internal topics hold Connect's records", run: () => checkFormats(bed) },
    ],
    close: () => closeBed(bed),
  }
}

async function openBed(home: KafkaHome): Promise<Bed> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-worker-on-kafka-'))
  const closers: (() => Promise<void>)[] = [
    async () => rmSync(directory, { recursive: true, force: true }),
  ]
  try {
    const kafka = await startKafka(home)
    closers.push(kafka.stop)
    const postgres = await startPostgres()
    if ('missing' in postgres) throw new Error(postgres.missing)
    closers.push(postgres.stop)
    const table = await Table.create(postgres.url, 'orders')
    closers.push(() => table.close())
    const properties = clusterProperties(kafka.bootstrap, 'connect')
    const worker = await startWorker(properties)
    return { home, kafka, postgres, table, directory, properties, worker, closers }
  } catch (error) {
    for (const close of closers.reverse()) await close()
    throw error
  }
}

async function closeBed({ worker, closers }: Bed): Promise<void> {
  await worker.stop()
  for (const close of closers.reverse()) await close()
}

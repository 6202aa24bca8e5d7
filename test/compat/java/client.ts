/** The Java client itself, by a small program that the JDK compiles. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { javaArguments, type KafkaHome, prepareKafka } from '../../peers/apache-kafka.ts'
import { peersDirectory } from '../../peers/directory.ts'
import type { Client, ClientEntry, Incoming, Login } from '../client.ts'
import { run, startMember } from '../processes.ts'

const SOURCE = join(import.meta.dirname, 'CompatClient.java')
const HEAP_MB = 256

export const javaClient: ClientEntry = {
  name: 'java-client',
  isSlow: true,
  async open(bootstrap, login) {
    const home = await prepareKafka()
    if ('missing' in home) return home
    const classes = compile(home)
    if (classes === null) return { missing: 'javac, of a JDK' }
    const classPath = `${classes}${delimiter}${home.classPath}`
    return openJava({ ...home, classPath }, { bootstrap, login })
  },
}

/** Once for each version of the source. Null without a compiler. */
function compile({ java, classPath, version }: KafkaHome): string | null {
  const digest = createHash('sha256').update(readFileSync(SOURCE)).update(version).digest('hex')
  const classes = join(peersDirectory(), 'java', digest.slice(0, 16))
  if (existsSync(classes)) return classes
  const javac = java === 'java' ? 'javac' : join(dirname(java), 'javac')
  mkdirSync(dirname(classes), { recursive: true })
  const temporary = mkdtempSync(`${classes}-`)
  try {
    execFileSync(javac, ['-cp', classPath, '-d', temporary, SOURCE], { stdio: 'pipe' })
    renameSync(temporary, classes)
    return classes
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    if ((error as { code?: string }).code === 'ENOENT') return null
    throw error
  }
}

function openJava(
  home: KafkaHome,
  common: { readonly bootstrap: string; readonly login?: Login },
): Client {
  const argumentsOf = (operation: string, parameters: object) =>
    javaArguments(home, HEAP_MB, 'CompatClient', [
      operation,
      JSON.stringify({ ...common, ...parameters }),
    ])
  const call = async (operation: string, parameters: object, input?: unknown): Promise<unknown> =>
    JSON.parse(await run(home.java, argumentsOf(operation, parameters), JSON.stringify(input)))
  return {
    version: home.version,
    async createTopic(topic, partitions) {
      await call('createTopic', { topic, partitions })
    },
    async deleteTopic(topic) {
      await call('deleteTopic', { topic })
    },
    async listTopics() {
      return (await call('listTopics', {})) as string[]
    },
    async produce(topic, messages, options) {
      await call('produce', { topic, ...options }, messages)
    },
    async fetch(options) {
      return (await call('fetch', options)) as Incoming[]
    },
    async transact(transactionalId, steps) {
      await call('transact', { transactionalId }, steps)
    },
    async join(options) {
      const args = argumentsOf('member', options)
      return startMember(home.java, args, (line) =>
        line.startsWith('{') ? (JSON.parse(line) as Incoming) : null,
      )
    },
  }
}

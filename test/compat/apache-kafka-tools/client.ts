/** The Java client, by Apache Kafka's own console tools. */
import { javaArguments, type KafkaHome, prepareKafka, runTool } from '../../peers/apache-kafka.ts'
import {
  type Client,
  type ClientEntry,
  type FetchOptions,
  type Incoming,
  NotOffered,
  type Outgoing,
} from '../client.ts'
import { startMember } from '../processes.ts'

const TOOLS = 'org.apache.kafka.tools'
const NO_KEY = '<no key>'
const FETCH_TIMEOUT_MS = 15_000

export const apacheKafkaTools: ClientEntry = {
  name: 'apache-kafka-tools',
  isSlow: true,
  async open(bootstrap, login) {
    if (login) throw new NotOffered('the same library as java-client, which logs in')
    const home = await prepareKafka()
    return 'missing' in home ? home : openTools(home, bootstrap)
  },
}

function openTools(home: KafkaHome, bootstrap: string): Client {
  const call = async (tool: string, args: readonly string[], input?: string): Promise<string> => {
    const all = ['--bootstrap-server', bootstrap, ...args]
    const { code, stdout, stderr } = await runTool(home, `${TOOLS}.${tool}`, all, { input })
    // The console producer ends with 0 although messages were refused.
    const isRefused = /\bERROR\b/.test(stderr)
    if (code !== 0 || isRefused) throw new Error(`${tool} ended with ${code}: ${stderr}${stdout}`)
    return stdout
  }
  return {
    version: home.version,
    async createTopic(topic, partitions) {
      const size = ['--partitions', String(partitions), '--replication-factor', '1']
      await call('TopicCommand', ['--create', '--topic', topic, ...size])
    },
    async deleteTopic(topic) {
      await call('TopicCommand', ['--delete', '--topic', topic])
    },
    async listTopics() {
      return (await call('TopicCommand', ['--list'])).trim().split('\n')
    },
    async produce(topic, messages, { codec, isIdempotent }) {
      const settings = ['acks=all', `enable.idempotence=${isIdempotent}`]
      const reader = ['parse.headers=true', 'parse.key=true', `null.marker=${NO_KEY}`]
      const args = ['--topic', topic, '--compression-codec', codec]
      for (const setting of settings) args.push('--command-property', setting)
      for (const property of reader) args.push('--reader-property', property)
      await call('ConsoleProducer', args, messages.map(formatLine).join(''))
    },
    async fetch(options) {
      const offset = await startOffset(call, options)
      const args = ['--topic', options.topic, '--partition', String(options.partition)]
      args.push('--offset', offset, '--max-messages', String(options.count))
      args.push('--timeout-ms', String(FETCH_TIMEOUT_MS), ...formatterArguments)
      args.push('--isolation-level', options.isolation ?? 'read_uncommitted')
      const output = await call('consumer.ConsoleConsumer', args)
      return output.split('\n').flatMap((line) => parseLine(line) ?? [])
    },
    async transact() {
      throw new NotOffered('the console tools have no transactions; java-client has')
    },
    async join({ group, topic, instanceId, protocol = 'classic' }) {
      const args = ['--bootstrap-server', bootstrap, '--topic', topic, '--group', group]
      args.push('--from-beginning', '--command-property', `group.protocol=${protocol}`)
      if (instanceId) args.push('--command-property', `group.instance.id=${instanceId}`)
      args.push(...formatterArguments)
      const consumer = `${TOOLS}.consumer.ConsoleConsumer`
      return startMember(home.java, javaArguments(home, 256, consumer, args), parseLine)
    },
  }
}

async function startOffset(
  call: (tool: string, args: readonly string[]) => Promise<string>,
  { topic, partition, from }: FetchOptions,
): Promise<string> {
  if (from === 'beginning') return 'earliest'
  if ('offset' in from) return String(from.offset)
  const where = ['--topic-partitions', `${topic}:${partition}`]
  // It answers a line `topic:partition:offset`.
  const output = await call('GetOffsetShell', [...where, '--time', String(from.timestampMs)])
  return output.trim().split(':')[2]
}

function formatLine({ key, value, headers }: Outgoing): string {
  const list = Object.entries(headers ?? {}).map(([name, text]) => `${name}:${text}`)
  return `${list.join(',') || NO_KEY}\t${key ?? NO_KEY}\t${value}\n`
}

const formatterArguments = ['partition', 'offset', 'headers', 'key']
  .map((what) => `print.${what}=true`)
  .concat(`null.literal=${NO_KEY}`)
  .flatMap((property) => ['--formatter-property', property])

/** `Partition:0<tab>Offset:5<tab>a:b,c:d<tab>key<tab>value` */
function parseLine(line: string): Incoming | null {
  const parts = /^Partition:(\d+)\tOffset:(\d+)\t([^\t]*)\t([^\t]*)\t(.*)$/.exec(line)
  if (!parts) return null
  const [, partition, offset, headerText, key, value] = parts
  const headers: Record<string, string> = {}
  if (headerText !== 'NO_HEADERS')
    for (const header of headerText.split(',')) {
      const [name, text] = header.split(':')
      headers[name] = text
    }
  return {
    partition: Number(partition),
    offset: Number(offset),
    key: key === NO_KEY ? null : key,
    value,
    headers,
  }
}

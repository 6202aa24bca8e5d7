/** What lies in a topic, as Kafka's own console consumer reads it. */
import { type KafkaHome, runTool } from '../../peers/apache-kafka.ts'

const TOOLS = 'org.apache.kafka.tools'
/** The consumer ends when nothing has come for so long. */
const SILENCE_MS = 4_000
const NO_TEXT = '<none>'

export interface TopicRecord {
  readonly partition: number
  readonly key: string | null
  /** Null is a tombstone. */
  readonly value: string | null
}

/** All records of a topic whose keys and values hold no tab and no line feed, in the order of each partition. */
export async function readTopic(
  home: KafkaHome,
  bootstrap: string,
  topic: string,
): Promise<readonly TopicRecord[]> {
  const args = ['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning']
  args.push('--timeout-ms', String(SILENCE_MS))
  for (const property of ['print.partition=true', 'print.key=true', `null.literal=${NO_TEXT}`])
    args.push('--formatter-property', property)
  const output = await call(home, 'consumer.ConsoleConsumer', args)
  return output.split('\n').flatMap((line) => parseLine(line) ?? [])
}

/** `cleanup.policy` and number of partitions of a topic. */
export async function describeTopic(
  home: KafkaHome,
  bootstrap: string,
  topic: string,
): Promise<{ readonly partitions: number; readonly isCompacted: boolean }> {
  const args = ['--bootstrap-server', bootstrap, '--describe', '--topic', topic]
  const output = await call(home, 'TopicCommand', args)
  return {
    partitions: Number(/PartitionCount:\s*(\d+)/.exec(output)?.[1]),
    isCompacted: /cleanup\.policy=compact(,|\s)/.test(output),
  }
}

async function call(home: KafkaHome, tool: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(home, `${TOOLS}.${tool}`, args)
  if (code !== 0) throw new Error(`${tool} ended with ${code}: ${stderr}${stdout}`)
  return stdout
}

function parseLine(line: string): TopicRecord | null {
  const parts = /^Partition:(\d+)\t([^\t]*)\t(.*)$/.exec(line)
  if (!parts) return null
  const [, partition, key, value] = parts
  return { partition: Number(partition), key: textOf(key), value: textOf(value) }
}

function textOf(text: string): string | null {
  return text === NO_TEXT ? null : text
}

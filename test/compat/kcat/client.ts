/** kcat: librdkafka, the C library under most clients that are not Java, with a command line. */
import { spawnSync } from 'node:child_process'
import {
  type Client,
  type ClientEntry,
  type FetchOptions,
  type Incoming,
  type Login,
  NotOffered,
  type Outgoing,
  type ProduceOptions,
} from '../client.ts'
import { run, startMember } from '../processes.ts'

const KEY_DELIMITER = '\x01'
const MESSAGE_DELIMITER = '\x02'

export const kcat: ClientEntry = {
  name: 'kcat',
  async open(bootstrap, login) {
    const { error, stdout } = spawnSync('kcat', ['-V'], { encoding: 'utf8' })
    if (error) return { missing: 'kcat on PATH (Debian package kcat)' }
    const version = /Version ([\d.]+)/.exec(stdout)?.[1] ?? 'unknown'
    const library = /librdkafka ([\d.]+)/.exec(stdout)?.[1] ?? 'unknown'
    return openKcat(bootstrap, `${version} (librdkafka ${library})`, login)
  },
}

function openKcat(bootstrap: string, version: string, login?: Login): Client {
  const where = ['-b', bootstrap, ...securityOf(login).flatMap(property)]
  const kcat = (args: readonly string[], input = '') => run('kcat', [...where, ...args], input)
  return {
    version,
    async createTopic() {
      throw new NotOffered('kcat does not administer topics')
    },
    async deleteTopic() {
      throw new NotOffered('kcat does not administer topics')
    },
    async listTopics() {
      const { topics } = JSON.parse(await kcat(['-L', '-J'])) as { topics: { topic: string }[] }
      return topics.map(({ topic }) => topic)
    },
    async produce(topic, messages, options) {
      await kcat([...producerArguments(topic, options), ...headersOf(messages)], format(messages))
    },
    async fetch(options) {
      const output = await kcat([...consumerArguments(options), '-c', String(options.count)])
      return output
        .split('\n')
        .map(parseMessage)
        .filter((message) => message !== null)
    },
    async transact() {
      throw new NotOffered('kcat has no transactions')
    },
    async join({ group, topic, instanceId, protocol }) {
      if (protocol === 'consumer') throw new NotOffered('its librdkafka has no consumer protocol')
      const settings = ['auto.offset.reset=earliest', 'session.timeout.ms=6000']
      if (instanceId) settings.push(`group.instance.id=${instanceId}`)
      const args = [...where, '-G', group, '-q', '-u', '-J', ...settings.flatMap(property)]
      return startMember('kcat', [...args, topic], parseMessage)
    },
  }
}

function producerArguments(topic: string, { codec, isIdempotent }: ProduceOptions): string[] {
  const settings = ['acks=all', `enable.idempotence=${isIdempotent}`].flatMap(property)
  const delimiters = ['-K', KEY_DELIMITER, '-D', MESSAGE_DELIMITER]
  return ['-P', '-t', topic, '-z', codec, ...delimiters, ...settings]
}

/** kcat puts the same headers on every message of a run. */
function headersOf(messages: readonly Outgoing[]): string[] {
  return Object.entries(messages[0].headers ?? {}).flatMap(([key, value]) => [
    '-H',
    `${key}=${value}`,
  ])
}

function format(messages: readonly Outgoing[]): string {
  return messages
    .map(({ key, value }) => (key === null ? value : `${key}${KEY_DELIMITER}${value}`))
    .join(MESSAGE_DELIMITER)
}

function securityOf(login?: Login): string[] {
  if (!login) return []
  const { sasl, caFile } = login
  const settings = [`security.protocol=${sasl ? 'sasl_' : ''}${caFile ? 'ssl' : 'plaintext'}`]
  if (caFile) settings.push(`ssl.ca.location=${caFile}`)
  if (!sasl) return settings
  const { mechanism, username, password } = sasl
  const names = [`sasl.username=${username}`, `sasl.password=${password}`]
  return [...settings, `sasl.mechanism=${mechanism}`, ...names]
}

function consumerArguments({ topic, partition, from, isolation }: FetchOptions): string[] {
  const position =
    from === 'beginning'
      ? 'beginning'
      : 'offset' in from
        ? String(from.offset)
        : `s@${from.timestampMs}`
  const level = property(`isolation.level=${isolation ?? 'read_uncommitted'}`)
  return ['-C', '-t', topic, '-p', String(partition), '-o', position, '-q', '-J', ...level]
}

function parseMessage(line: string): Incoming | null {
  if (!line.startsWith('{')) return null
  const message = JSON.parse(line) as {
    partition: number
    offset: number
    key: string | null
    payload: string
    headers?: string[]
  }
  const headers: Record<string, string> = {}
  const list = message.headers ?? []
  for (let index = 0; index < list.length; index += 2) headers[list[index]] = list[index + 1]
  const { partition, offset, key, payload } = message
  return { partition, offset, key: key || null, value: payload, headers }
}

function property(text: string): string[] {
  return ['-X', text]
}

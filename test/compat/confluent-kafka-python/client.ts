/** confluent-kafka for Python: a binding of librdkafka. `client.py` runs one operation per process. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Client, ClientEntry, Incoming } from '../client.ts'
import { run, startMember } from '../processes.ts'

const SCRIPT = join(import.meta.dirname, 'client.py')
/** Debian's package is seen by Debian's Python, a wheel by the one on PATH. */
const PYTHONS = ['/usr/bin/python3', 'python3']

export const confluentKafkaPython: ClientEntry = {
  name: 'confluent-kafka-python',
  async open(bootstrap) {
    for (const python of PYTHONS) {
      const { status, stdout } = spawnSync(python, [SCRIPT, 'version'], { encoding: 'utf8' })
      if (status !== 0) continue
      const { binding, library } = JSON.parse(stdout) as { binding: string; library: string }
      return openPython(python, bootstrap, `${binding} (librdkafka ${library})`)
    }
    return { missing: 'Python with confluent_kafka (Debian package python3-confluent-kafka)' }
  },
}

function openPython(python: string, bootstrap: string, version: string): Client {
  const call = async (operation: string, parameters: object): Promise<unknown> => {
    const input = JSON.stringify({ bootstrap, ...parameters })
    return JSON.parse(await run(python, [SCRIPT, operation], input)) as unknown
  }
  return {
    version,
    async createTopic(topic, partitions) {
      await call('create_topic', { topic, partitions })
    },
    async deleteTopic(topic) {
      await call('delete_topic', { topic })
    },
    async listTopics() {
      return (await call('list_topics', {})) as string[]
    },
    async produce(topic, messages, options) {
      await call('produce', { topic, messages, ...options })
    },
    async fetch(options) {
      return (await call('fetch', options)) as Incoming[]
    },
    async join(options) {
      const parameters = JSON.stringify({ bootstrap, ...options })
      return startMember(
        python,
        [SCRIPT, 'member', parameters],
        (line) => JSON.parse(line) as Incoming,
      )
    },
  }
}

/** A client in Python: a script that runs one operation per process. Parameters go in and answers come out as JSON. */
import type { Client, Incoming, Login } from './client.ts'
import { run, startMember } from './processes.ts'

export interface PythonScript {
  readonly python: string
  readonly script: string
  /** PYTHONPATH, for packages that are not where Python looks. */
  readonly packages?: string
}

export interface PythonVersion {
  readonly binding: string
  readonly library?: string
}

export function openPython(
  { python, script, packages }: PythonScript,
  version: string,
  common: { readonly bootstrap: string; readonly login?: Login },
): Client {
  const environment: Record<string, string> = packages ? { PYTHONPATH: packages } : {}
  const call = async (operation: string, parameters: object): Promise<unknown> => {
    const input = JSON.stringify({ ...common, ...parameters })
    return JSON.parse(await run(python, [script, operation], input, environment)) as unknown
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
    async transact(transactionalId, steps) {
      await call('transact', { transactionalId, steps })
    },
    async join(options) {
      const args = [script, 'member', JSON.stringify({ ...common, ...options })]
      return startMember(python, args, (line) => JSON.parse(line) as Incoming, environment)
    },
  }
}

/** kafka-python: the client in Python alone. `client.py` runs one operation per process. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { KAFKA_PYTHON, preparePythonPackage } from '../../peers/python.ts'
import { type ClientEntry, NotOffered } from '../client.ts'
import { openPython, type PythonVersion } from '../python-client.ts'

const SCRIPT = join(import.meta.dirname, 'client.py')
/** Codecs that need packages beside it. */
const WITHOUT: ReadonlySet<string> = new Set(['snappy', 'lz4', 'zstd'])

export const kafkaPython: ClientEntry = {
  name: 'kafka-python',
  async open(bootstrap, login) {
    const prepared = await preparePythonPackage(KAFKA_PYTHON)
    if ('missing' in prepared) return prepared
    const { python, packages } = prepared
    const env = { ...process.env, PYTHONPATH: packages }
    const { status, stdout } = spawnSync(python, [SCRIPT, 'version'], { encoding: 'utf8', env })
    if (status !== 0) return { missing: `${KAFKA_PYTHON}: it does not run with this Python` }
    const { binding } = JSON.parse(stdout) as PythonVersion
    const client = openPython({ ...prepared, script: SCRIPT }, binding, { bootstrap, login })
    return {
      ...client,
      async produce(topic, messages, options) {
        if (WITHOUT.has(options.codec))
          throw new NotOffered(`kafka-python has no ${options.codec} without a further package`)
        await client.produce(topic, messages, options)
      },
      async join(options) {
        if (options.protocol === 'consumer')
          throw new NotOffered('kafka-python has no consumer protocol')
        return client.join(options)
      },
      async fetch(options) {
        try {
          return await client.fetch(options)
        } catch (error) {
          const { message } = error as Error
          const missing = /UnsupportedCodecError: (.*)|Libraries for (\w+) compression/.exec(
            message,
          )
          throw missing ? new NotOffered(`kafka-python: ${missing[0]}`) : error
        }
      },
    }
  },
}

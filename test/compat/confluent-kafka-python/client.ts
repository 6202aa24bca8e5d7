/**
 * confluent-kafka for Python, a binding of librdkafka: as Debian has it, which is what many servers run, and the current wheel.
 * `client.py` runs one operation per process.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { CONFLUENT_KAFKA, preparePythonPackage } from '../../peers/python.ts'
import { type Client, type ClientEntry, type Login, type Missing, NotOffered } from '../client.ts'
import { openPython, type PythonScript, type PythonVersion } from '../python-client.ts'

const SCRIPT = join(import.meta.dirname, 'client.py')
const DEBIAN_PYTHON = '/usr/bin/python3'

export const confluentKafkaDebian: ClientEntry = {
  name: 'confluent-kafka-python (Debian)',
  async open(bootstrap, login) {
    const script = { python: DEBIAN_PYTHON, script: SCRIPT }
    const client = open(script, bootstrap, login)
    if (client === null)
      return { missing: 'Python with confluent_kafka (Debian package python3-confluent-kafka)' }
    return {
      ...client,
      async join(options) {
        if (options.protocol === 'consumer')
          throw new NotOffered('its librdkafka has no consumer protocol')
        return client.join(options)
      },
    }
  },
}

export const confluentKafka: ClientEntry = {
  name: 'confluent-kafka-python',
  async open(bootstrap, login): Promise<Client | Missing> {
    const prepared = await preparePythonPackage(CONFLUENT_KAFKA)
    if ('missing' in prepared) return prepared
    const client = open({ ...prepared, script: SCRIPT }, bootstrap, login)
    return client ?? { missing: `${CONFLUENT_KAFKA}: it does not run with this Python` }
  },
}

function open(script: PythonScript, bootstrap: string, login?: Login): Client | null {
  const { python, packages } = script
  const env = { ...process.env, ...(packages && { PYTHONPATH: packages }) }
  const { status, stdout } = spawnSync(python, [SCRIPT, 'version'], { encoding: 'utf8', env })
  if (status !== 0) return null
  const { binding, library } = JSON.parse(stdout) as PythonVersion
  return openPython(script, `${binding} (librdkafka ${library})`, { bootstrap, login })
}

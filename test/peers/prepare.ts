/** Downloads or builds real servers that tests use when they are there: `node test/peers/prepare.ts s3 kafka`. */
import { prepareKafka } from './apache-kafka.ts'
import { CONFLUENT_KAFKA, KAFKA_PYTHON, preparePythonPackage } from './python.ts'
import { prepareS3 } from './s3.ts'

const peers: Readonly<Record<string, () => Promise<object>>> = {
  kafka: prepareKafka,
  s3: prepareS3,
  'kafka-python': () => preparePythonPackage(KAFKA_PYTHON),
  'confluent-kafka': () => preparePythonPackage(CONFLUENT_KAFKA),
}

const names = process.argv.slice(2)
if (names.length === 0 || names.some((name) => !(name in peers))) {
  console.error(`usage: node test/peers/prepare.ts ${Object.keys(peers).join('|')} ...`)
  process.exit(2)
}
for (const name of names) {
  const startedMs = performance.now()
  const home = (await peers[name]()) as { missing?: string }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(home.missing ? `${name}: missing ${home.missing}` : `${name}: ready (${seconds} s)`)
  if (home.missing) process.exitCode = 1
}

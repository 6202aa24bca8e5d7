/** `npm run docs`: writes the pages under docs/ that come from the code. A test in `npm run check` fails when one is out of date. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { renderBrokerConfig } from './broker-config-page.ts'
import { describeApis, describeKeys, type BrokerInternals } from './documented-broker.ts'
import { repositoryRoot } from './packages.ts'
import { renderProtocolStatus } from './protocol-status.ts'

const require = createRequire(import.meta.url)
const sources = join(repositoryRoot, 'apps/broker/src/handlers')
const built = join(repositoryRoot, 'apps/broker/dist')
const broker: BrokerInternals = {
  ...require(join(built, 'handlers/index.js')),
  ...require(join(built, 'configs/broker-keys.js')),
  ...require(join(built, 'configs/dynamic-keys.js')),
}
const files = readdirSync(sources)
const apis = describeApis(broker, files, (name) => readFileSync(join(sources, name), 'utf8'))
write('protocol-status.md', renderProtocolStatus(apis))
write('broker-config.md', renderBrokerConfig(describeKeys(broker)))

function write(name: string, text: string): void {
  writeFileSync(join(repositoryRoot, 'docs', name), text)
  console.log(`wrote docs/${name}`)
}

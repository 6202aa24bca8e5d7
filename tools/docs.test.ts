import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as brokerKeys from '../apps/broker/src/configs/broker-keys'
import * as dynamicKeys from '../apps/broker/src/configs/dynamic-keys'
import { handlers } from '../apps/broker/src/handlers'
import { renderBrokerConfig } from './broker-config-page.ts'
import { describeApis, describeKeys, type BrokerInternals } from './documented-broker.ts'
import { kafkaApis } from './kafka-apis.ts'
import { headerOf, renderProtocolStatus } from './protocol-status.ts'

const broker: BrokerInternals = { handlers, ...brokerKeys, ...dynamicKeys }
const sources = join(__dirname, '../apps/broker/src/handlers')
const apis = describeApis(broker, readdirSync(sources), (name) =>
  readFileSync(join(sources, name), 'utf8'),
)

/** If one of these fails: `npm run docs`, and look at what has changed. */
describe('pages that come from the code', () => {
  it.each([
    ['protocol-status.md', () => renderProtocolStatus(apis)],
    ['broker-config.md', () => renderBrokerConfig(describeKeys(broker))],
  ])('%s is up to date', (name, render) => {
    expect(render()).toBe(readFileSync(join(__dirname, '../docs', name), 'utf8'))
  })
})

describe('the page of the protocol', () => {
  it('has a row for each request that is served, and each is one of Kafka 4.3', () => {
    const page = renderProtocolStatus(apis)
    for (const { key } of apis) {
      expect(kafkaApis.map(([kafkaKey]) => kafkaKey)).toContain(key)
      expect(page).toMatch(new RegExp(`^\\| ${key} \\| `, 'm'))
    }
  })

  it('takes gaps of several lines out of a header, and leaves the rest', () => {
    const header = headerOf(
      '/**\n * Fetch, key 1 - served: 4 to 18.\n * Does: much.\n * Gaps: not this |\n * nor that.\n * Invariants: ACK-1.\n */\nconst x = 1',
    )
    const page = renderProtocolStatus([{ key: 1, served: { min: 4, max: 17 }, header }])
    expect(page).toContain('| 1 | Fetch | 4-17 | 4-18 | not this \\| nor that. |')
  })

  it('tells why a request is not served', () => {
    expect(renderProtocolStatus([])).toContain('| 78 | ShareFetch | share groups are not served |')
  })
})

/** What the pages need to know of the broker, whether it comes from its sources (a test) or from its build. */
import type { DocumentedKey } from './broker-config-page.ts'
import { headerOf, type ServedApi } from './protocol-status.ts'

interface ConfigKey {
  readonly name: string
  readonly type: string
  readonly default: unknown
  readonly unit: string | null
  readonly doc: string
  readonly format: (value: never) => string
}

export interface BrokerInternals {
  readonly handlers: readonly Pick<ServedApi, 'key' | 'served'>[]
  readonly brokerKeys: ReadonlyMap<string, ConfigKey>
  readonly hasEffect: (name: string) => boolean
  readonly isDynamic: (name: string) => boolean
}

export function describeApis(
  { handlers }: BrokerInternals,
  files: readonly string[],
  read: (file: string) => string,
): ServedApi[] {
  return handlers.map(({ key, served }) => {
    const prefix = `${String(key).padStart(2, '0')}-`
    const file = files.find((name) => name.startsWith(prefix) && !name.endsWith('.test.ts'))
    return { key, served, header: file === undefined ? '' : headerOf(read(file)) }
  })
}

export function describeKeys(broker: BrokerInternals): DocumentedKey[] {
  return Array.from(broker.brokerKeys.values(), (key) => ({
    name: key.name,
    type: key.type,
    byDefault:
      key.default === null || key.default === undefined ? null : key.format(key.default as never),
    unit: key.unit,
    doc: key.doc,
    hasEffect: broker.hasEffect(key.name),
    isDynamic: broker.isDynamic(key.name),
  }))
}

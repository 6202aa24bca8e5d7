import type { ConfigProblem, Properties } from '@millrace/config'

/** How the configuration of a connector names a setting of one of its clients. */
const OVERRIDE = /^(?:producer|consumer|admin)\.override\.(.+)$/

export const OVERRIDE_POLICIES = ['All', 'None', 'Principal', 'Allowlist'] as const
export type OverridePolicy = (typeof OVERRIDE_POLICIES)[number]

/** Who a connector is, and nothing else about its clients. */
const PRINCIPAL_KEYS: readonly string[] = [
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
]

/** What of `connector.client.config.override.*` decides which settings of its clients a connector may change. */
export interface OverrideRules {
  readonly clientOverridePolicy: string
  readonly clientOverrideAllowlist: readonly string[]
}

/** The policy that a name or class name of Kafka Connect stands for; null if there is none. */
export function overridePolicyOf(name: string): OverridePolicy | null {
  const short = name
    .replace(/^org\.apache\.kafka\.connect\.connector\.policy\./, '')
    .replace(/ConnectorClientConfigOverridePolicy$/, '')
  return OVERRIDE_POLICIES.find((policy) => policy === short) ?? null
}

export function isOverride(key: string): boolean {
  return OVERRIDE.test(key)
}

/** The keys of a connector that set what the worker lets no connector set. */
export function refusedOverrides(rules: OverrideRules, connector: Properties): readonly string[] {
  const policy = overridePolicyOf(rules.clientOverridePolicy)
  if (policy === 'All') return []
  const allowed: readonly string[] = {
    None: [],
    Principal: PRINCIPAL_KEYS,
    Allowlist: rules.clientOverrideAllowlist,
  }[policy ?? 'None']
  return Object.keys(connector).filter((key) => {
    const setting = OVERRIDE.exec(key)?.[1]
    return setting !== undefined && !allowed.includes(setting)
  })
}

export function refusalOf(key: string, { clientOverridePolicy }: OverrideRules): ConfigProblem {
  const expected = `not to be there: connector.client.config.override.policy of the worker is ${clientOverridePolicy}`
  return { key, given: '[hidden]', expected } // it may be a secret
}

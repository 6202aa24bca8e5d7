import { int, list, type ConfigOf } from '@millrace/config'

/** What a client may be chosen by; the values are regular expressions. */
const MATCHABLE = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
] as const
export type MatchableProperty = (typeof MATCHABLE)[number]

/** A subscription of client metrics (KIP-714): which metrics, how often, from which clients. */
export const clientMetricsDefinition = {
  metrics: list('metrics', {
    default: [],
    doc: 'Prefixes of the metrics that clients send; * for all of them.',
    check: (names) => (new Set(names).size === names.length ? null : 'each prefix once'),
  }),
  intervalMs: int('interval.ms', {
    default: 300_000,
    min: 100,
    max: 3_600_000,
    unit: 'ms',
    doc: 'How often clients send them.',
  }),
  match: list('match', {
    default: [],
    doc: 'The clients that are meant, as PROPERTY=REGULAR EXPRESSION; all if empty.',
    check: (patterns) =>
      patterns.every((pattern) => parseMatch(pattern) !== null)
        ? null
        : `PROPERTY=REGULAR EXPRESSION with a property of ${MATCHABLE.join(', ')}`,
  }),
}
export type ClientMetricsConfig = ConfigOf<typeof clientMetricsDefinition>

/** Null if the text is no such pattern. */
export function parseMatch(text: string): { property: MatchableProperty; value: RegExp } | null {
  const [name, pattern, ...rest] = text.split('=')
  const property = MATCHABLE.find((each) => each === name.trim())
  if (!property || !pattern || rest.length > 0) return null
  try {
    return { property, value: new RegExp(`^(?:${pattern.trim()})$`) }
  } catch {
    return null
  }
}

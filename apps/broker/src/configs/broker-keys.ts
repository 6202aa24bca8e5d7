import { int, long, type ConfigDefinition, type ConfigKey } from '@millrace/config'
import { brokerSynonyms, logConfigDefinition } from '@millrace/log'
import { brokerConfigDefinition } from '../config-keys'
import { internalKeys, keysWithoutEffect } from './keys-without-effect'

/** Keys that say the same in another unit; the last one of a setting has its default. */
const inOtherUnits: readonly ConfigKey[] = [
  long('log.roll.ms', { default: null, min: 1, doc: 'As log.roll.hours, in ms.' }),
  int('log.roll.hours', {
    default: 168,
    min: 1,
    doc: 'A segment is closed at this age, in hours.',
  }),
  long('log.roll.jitter.ms', { default: null, min: 0, doc: 'As log.roll.jitter.hours, in ms.' }),
  int('log.roll.jitter.hours', {
    default: 0,
    min: 0,
    doc: 'Up to this is taken off log.roll.hours at random, in hours.',
  }),
  long('log.retention.ms', { default: null, doc: 'As log.retention.hours, in ms; -1 for ever.' }),
  int('log.retention.minutes', { default: null, doc: 'As log.retention.hours, in minutes.' }),
  int('log.retention.hours', {
    default: 168,
    importance: 'HIGH',
    doc: 'Segments whose newest record is older are deleted, in hours.',
  }),
  long('log.flush.interval.ms', {
    default: null,
    doc: 'With log.ack.after.flush=false: time after which a log is synced, in ms.',
  }),
  long('log.flush.scheduler.interval.ms', {
    default: Infinity,
    doc: 'What log.flush.interval.ms is if it is not given.',
  }),
].map((key) => key as ConfigKey)

/** Every key that a broker knows by its name: its own, those that set defaults of topics, and those without effect. */
export const brokerKeys: ReadonlyMap<string, ConfigKey> = new Map(
  [...keysWithoutEffect, ...topicDefaultKeys(), ...inOtherUnits, ...ownKeys()]
    .map((key): [string, ConfigKey] => [key.name, key])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
)

export function hasEffect(name: string): boolean {
  return !brokerKeys.get(name)?.doc.startsWith('No effect.')
}

/** The names of one setting, the strongest first: `log.retention.ms`, `.minutes`, `.hours`. */
export function namesOfSetting(name: string): readonly string[] {
  return settings.get(name) ?? [name]
}

/**
 * The key of a property: also one that is given for a listener only, `listener.name.NAME.KEY` or
 * `listener.name.NAME.MECHANISM.KEY`. Undefined if nobody knows it.
 */
export function findBrokerKey(property: string): ConfigKey | undefined {
  const known = brokerKeys.get(property)
  if (known) return known
  const base = listenerBaseName(property)
  const key = base === null ? undefined : brokerKeys.get(base)
  return key && { ...key, name: property }
}

/** `ssl.keystore.location` of `listener.name.internal.ssl.keystore.location`; null if it is no property of a listener. */
export function listenerBaseName(property: string): string | null {
  const base = /^listener\.name\.[^.]*\.(.*)$/.exec(property)?.[1]
  if (base === undefined) return null
  const withoutMechanism = base.replace(/^[^.]+\./, '')
  return !brokerKeys.has(base) && brokerKeys.has(withoutMechanism) ? withoutMechanism : base
}

export function isKnownProperty(property: string): boolean {
  return findBrokerKey(property) !== undefined || internalKeys.has(property)
}

const settings = new Map(
  Object.values(brokerSynonyms)
    .filter((synonyms) => synonyms.length > 1)
    .map((synonyms) => synonyms.map(({ name }) => name))
    .flatMap((names) => names.map((name): [string, readonly string[]] => [name, names])),
)

function ownKeys(): ConfigKey[] {
  return Object.values<ConfigKey>(brokerConfigDefinition as ConfigDefinition).flatMap((key) => [
    key,
    ...key.aliases.map((name) => ({ ...key, name })),
  ])
}

/** Keys of topics under the name that they have in the file of a broker. */
function topicDefaultKeys(): ConfigKey[] {
  const definition: ConfigDefinition = logConfigDefinition
  return Object.values<ConfigKey>(definition).flatMap((key) =>
    (brokerSynonyms[key.name] ?? []).map(({ name }) => ({ ...key, name })),
  )
}

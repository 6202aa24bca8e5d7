/**
 * Config keys as data. A key is declared once, beside the code that uses it; from it come the TypeScript type, the parser,
 * the validator, DescribeConfigs, the Connect `validate` reply and the docs page.
 */

/** Kafka's names of config types, as ConfigDef has them. */
export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'SHORT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD'
export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'
/** Who may change a key, and where: at start only, at run time, or per topic. */
export type ConfigScope = 'static' | 'dynamic' | 'topic'

export interface ConfigKey<Value = unknown> {
  /** The key as users write it, `segment.bytes`. */
  readonly name: string
  readonly type: ConfigType
  /** `undefined` means that the key is required. */
  readonly default: Value | undefined
  readonly importance: Importance
  readonly scope: ConfigScope
  readonly unit: string | null
  readonly doc: string
  /** Other spellings that are accepted, first match wins (`log.retention.hours` is not one: see `parse`). */
  readonly aliases: readonly string[]
  readonly group: string | null
  /** Allowed values, if there are only some. */
  readonly oneOf: readonly string[] | null
  /** Parses the text of a value. @throws Error whose message says what was expected. */
  readonly parse: (text: string) => Value
  /** The value as text, as DescribeConfigs and REST give it. */
  readonly format: (value: Value) => string
}

export interface KeyOptions<Value> {
  readonly default?: Value
  readonly importance?: Importance
  readonly scope?: ConfigScope
  readonly unit?: string
  readonly aliases?: readonly string[]
  readonly group?: string
  readonly doc: string
  /** A further check of a parsed value: returns what is wrong, or null. */
  readonly check?: (value: NonNullable<Value>) => string | null
}

// oxlint-disable-next-line typescript/no-explicit-any -- the values' types differ from key to key
export type ConfigDefinition = Readonly<Record<string, ConfigKey<any>>>
/** The frozen plain object that a definition parses to. */
export type ConfigOf<D extends ConfigDefinition> = {
  readonly [K in keyof D]: D[K] extends ConfigKey<infer V> ? V : never
}

type Built<Value, O> = ConfigKey<
  O extends { default: infer V } ? (V extends null ? Value | null : Value) : Value
>

export function string<const O extends KeyOptions<string | null>>(
  name: string,
  options: O,
): Built<string, O> {
  return makeKey(
    name,
    'STRING',
    options,
    (text) => text,
    (value) => value,
  ) as never
}

/** A string out of a fixed set. */
export function oneOf<const V extends string, const O extends KeyOptions<V | null>>(
  name: string,
  values: readonly V[],
  options: O & { ignoreCase?: boolean },
): Built<V, O> {
  const parse = (text: string): V => {
    const found = values.find(
      (value) =>
        value === text || (options.ignoreCase && value.toLowerCase() === text.toLowerCase()),
    )
    if (found === undefined) throw new Error(`one of ${values.join(', ')}`)
    return found
  }
  return { ...makeKey(name, 'STRING', options, parse, (value: V) => value), oneOf: values } as never
}

export function boolean<const O extends KeyOptions<boolean | null>>(
  name: string,
  options: O,
): Built<boolean, O> {
  const parse = (text: string): boolean => {
    const lower = text.trim().toLowerCase()
    if (lower !== 'true' && lower !== 'false') throw new Error('true or false')
    return lower === 'true'
  }
  return makeKey(name, 'BOOLEAN', options, parse, String) as never
}

interface Bounds {
  readonly min?: number
  readonly max?: number
}
export function int<const O extends KeyOptions<number | null>>(
  name: string,
  options: O & Bounds,
): Built<number, O> {
  return makeKey(name, 'INT', options, wholeNumber(options, 2 ** 31 - 1), String) as never
}
export function short<const O extends KeyOptions<number | null>>(
  name: string,
  options: O & Bounds,
): Built<number, O> {
  return makeKey(name, 'SHORT', options, wholeNumber(options, 2 ** 15 - 1), String) as never
}
/** Kafka's LONG. Its largest value, 9223372036854775807, stands for "no limit" and parses to Infinity. */
export function long<const O extends KeyOptions<number | null>>(
  name: string,
  options: O & Bounds,
): Built<number, O> {
  return makeKey(
    name,
    'LONG',
    options,
    wholeNumber(options, Number.MAX_SAFE_INTEGER),
    formatLong,
  ) as never
}
export function double<const O extends KeyOptions<number | null>>(
  name: string,
  options: O & Bounds,
): Built<number, O> {
  const parse = (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || Number.isNaN(value)) throw new Error('a number')
    return inBounds(value, options)
  }
  return makeKey(name, 'DOUBLE', options, parse, formatDouble) as never
}
/** A comma-separated list; surrounding space of each element is dropped, the empty string is the empty list. */
export function list<const O extends KeyOptions<readonly string[] | null>>(
  name: string,
  options: O,
): Built<readonly string[], O> {
  const parse = (text: string): readonly string[] =>
    text.trim() === '' ? [] : text.split(',').map((part) => part.trim())
  return makeKey(name, 'LIST', options, parse, (value: readonly string[]) =>
    value.join(','),
  ) as never
}
/** The name of a plugin class; resolved by whoever owns the plugins. */
export function className<const O extends KeyOptions<string | null>>(
  name: string,
  options: O,
): Built<string, O> {
  return makeKey(
    name,
    'CLASS',
    options,
    (text) => text.trim(),
    (value) => value,
  ) as never
}

/** A value that no log, error or API shows. */
export class Password {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  /** The clear text: only for the library that logs in with it. */
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[hidden]'
  }
  toJSON(): string {
    return '[hidden]'
  }
}
export function password<const O extends KeyOptions<Password | null>>(
  name: string,
  options: O,
): Built<Password, O> {
  return makeKey(
    name,
    'PASSWORD',
    options,
    (text) => new Password(text),
    (value: Password) => value.toString(),
  ) as never
}

function makeKey<Value>(
  name: string,
  type: ConfigType,
  options: KeyOptions<NonNullable<Value> | null>,
  parse: (text: string) => Value,
  format: (value: Value) => string,
): ConfigKey<Value> {
  const { check } = options
  return {
    name,
    type,
    default: 'default' in options ? (options.default as Value) : undefined,
    importance: options.importance ?? 'MEDIUM',
    scope: options.scope ?? 'static',
    unit: options.unit ?? null,
    doc: options.doc,
    aliases: options.aliases ?? [],
    group: options.group ?? null,
    oneOf: null,
    parse: !check
      ? parse
      : (text) => {
          const value = parse(text)
          const wrong = check(value as NonNullable<Value>)
          if (wrong !== null) throw new Error(wrong)
          return value
        },
    format: (value) => (value === null ? '' : format(value)),
  }
}

const LONG_MAX = '9223372036854775807'

function wholeNumber(bounds: Bounds, typeMax: number): (text: string) => number {
  return (text) => {
    const trimmed = text.trim()
    if (trimmed === LONG_MAX && typeMax > 2 ** 31) return inBounds(Infinity, bounds)
    if (!/^[+-]?\d+$/.test(trimmed)) throw new Error('a whole number')
    const value = Number(trimmed)
    if (value > typeMax || value < -typeMax - 1) throw new Error(`a whole number up to ${typeMax}`)
    return inBounds(value, bounds)
  }
}

function inBounds(value: number, { min, max }: Bounds): number {
  if (min !== undefined && value < min) throw new Error(`at least ${min}`)
  if (max !== undefined && value > max) throw new Error(`at most ${max}`)
  return value
}

/** As Java writes it. The largest one stands for "no limit". */
function formatDouble(value: number): string {
  return String(value === Infinity ? Number.MAX_VALUE : value).replace('e+', 'E')
}

function formatLong(value: number): string {
  return value === Infinity ? LONG_MAX : String(value)
}

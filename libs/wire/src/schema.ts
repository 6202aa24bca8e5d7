/**
 * The language in which every protocol message is declared: one object for all versions of a
 * request or response. A codec is compiled from it on first use (`codec.ts`).
 */
import { ZERO_UUID } from '@millrace/base'

/** Name of a primitive on the wire. A trailing `?` means that null is allowed. */
export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid'
export type TypeName = Primitive | 'string?' | 'bytes?' | 'records?'

/** The largest int64 as a number: 2^63, as no double lies between. The codec writes it as 2^63 - 1. */
export const INT64_MAX = 2 ** 63

/** Versions from `min` to `max`, both inclusive. `max` is Infinity for "and later". */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

export interface FieldOptions<Value> {
  /** What an absent field decodes to, and what an undefined one encodes as. */
  readonly default?: Value
  /** Versions in which null is allowed, when they are fewer than the field's own. */
  readonly nullable?: string
  /** Tag number: the field travels in the tagged section. */
  readonly tag?: number
  readonly doc?: string
}

export type Fields = { readonly [name: string]: FieldSpec }

export interface FieldSpec<
  Decoded = unknown,
  Encoded = unknown,
  Optional extends boolean = boolean,
> {
  readonly type: Primitive | 'struct'
  /** An array of `type`. */
  readonly isList: boolean
  readonly versions: VersionRange
  readonly nullable: VersionRange | null
  readonly default: unknown
  /** Whether the sender may leave the property undefined. */
  readonly isOptional: boolean
  readonly tag: number | null
  /** Of a struct or a list of structs. */
  readonly fields: Fields | null
  readonly doc: string
  /** Carries the TypeScript types; never set. */
  readonly $types?: { decoded: Decoded; encoded: Encoded; optional: Optional }
}

export interface MessageSpec<F extends Fields = Fields> {
  readonly name: string
  /** API key; -1 for schemas that are not requests (records of internal topics, headers). */
  readonly key: number
  readonly versions: VersionRange
  /** First version with compact lengths and tagged fields; Infinity if none. */
  readonly flexibleFrom: number
  readonly fields: F
}

interface DecodedTypes {
  bool: boolean
  int8: number
  int16: number
  uint16: number
  int32: number
  uint32: number
  int64: number
  float64: number
  string: string
  bytes: Buffer
  records: Buffer
  uuid: string
  'string?': string | null
  'bytes?': Buffer | null
  'records?': Buffer | null
}
type EncodedTypes = Omit<DecodedTypes, 'records' | 'records?'> & {
  records: Buffer | readonly Buffer[]
  'records?': Buffer | readonly Buffer[] | null
}

/** A message as decoded: every field is present, absent ones with their default. */
export type Infer<S> = S extends MessageSpec<infer F> ? DecodedFields<F> : never
/** A message as handed to `encode`: fields that have a default, a tag or not all versions may be left out. */
export type InferInput<S> = S extends MessageSpec<infer F> ? EncodedFields<F> : never

export type DecodedFields<F extends Fields> = {
  -readonly [K in keyof F]: F[K] extends FieldSpec<infer D, unknown, boolean> ? D : never
}
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends FieldSpec<unknown, unknown, infer O>
    ? O extends true
      ? K
      : never
    : never
}[keyof F]
export type EncodedFields<F extends Fields> = {
  [K in Exclude<keyof F, OptionalKeys<F>>]: F[K] extends FieldSpec<unknown, infer E, boolean>
    ? E
    : never
} & {
  [K in OptionalKeys<F>]?: F[K] extends FieldSpec<unknown, infer E, boolean> ? E : never
}

/** A field that is declared for all versions and without default or tag must be given by the sender. */
type IsOptional<V extends string, O> = O extends { default: unknown } | { tag: number }
  ? true
  : V extends '0+'
    ? false
    : true
type NullIf<O, T> = O extends { nullable: string } ? T | null : T

/** A primitive field: `field('int16', '0+', { doc: '...' })`. */
export function field<
  const T extends TypeName,
  const V extends string,
  const O extends FieldOptions<DecodedTypes[T] | null>,
>(
  type: T,
  versions: V,
  options?: O,
): FieldSpec<NullIf<O, DecodedTypes[T]>, NullIf<O, EncodedTypes[T]>, IsOptional<V, O>> {
  const isNullable = type.endsWith('?')
  return makeField({
    type: (isNullable ? type.slice(0, -1) : type) as Primitive,
    isList: false,
    versions,
    isNullable,
    options,
    fields: null,
  })
}

/** An array of primitives or of structs: `list('0+', 'int32')`, `list('0+', { ... })`. */
export function list<
  const E extends Primitive,
  const V extends string,
  const O extends FieldOptions<null | readonly unknown[]>,
>(
  versions: V,
  element: E,
  options?: O,
): FieldSpec<NullIf<O, DecodedTypes[E][]>, NullIf<O, readonly EncodedTypes[E][]>, IsOptional<V, O>>
export function list<
  const F extends Fields,
  const V extends string,
  const O extends FieldOptions<null | readonly unknown[]>,
>(
  versions: V,
  element: F,
  options?: O,
): FieldSpec<
  NullIf<O, DecodedFields<F>[]>,
  NullIf<O, readonly EncodedFields<F>[]>,
  IsOptional<V, O>
>
export function list(
  versions: string,
  element: Primitive | Fields,
  options?: FieldOptions<unknown>,
): FieldSpec {
  const isPrimitive = typeof element === 'string'
  return makeField({
    type: isPrimitive ? element : 'struct',
    isList: true,
    versions,
    isNullable: false,
    options,
    fields: isPrimitive ? null : element,
  })
}

/** A nested struct: `struct('4+', { ... }, { tag: 1 })`. */
export function struct<
  const F extends Fields,
  const V extends string,
  const O extends FieldOptions<null>,
>(
  versions: V,
  fields: F,
  options?: O,
): FieldSpec<NullIf<O, DecodedFields<F>>, NullIf<O, EncodedFields<F>>, IsOptional<V, O>> {
  return makeField({ type: 'struct', isList: false, versions, isNullable: false, options, fields })
}

/** Declares a message. `versions: '3-13'` are those that a codec exists for. */
export function message<const F extends Fields>(
  spec: { name: string; key: number; versions: string; flexible: string },
  fields: F,
): MessageSpec<F> {
  return {
    name: spec.name,
    key: spec.key,
    versions: parseVersions(spec.versions),
    flexibleFrom: parseVersions(spec.flexible).min,
    fields,
  }
}

/** `0+`, `3-13`, `5` or `none`. */
export function parseVersions(text: string): VersionRange {
  if (text === 'none') return { min: Infinity, max: -Infinity }
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (!match) throw new TypeError(`not a version range: '${text}' (write 0+, 3-13, 5 or none)`)
  const min = Number(match[1])
  return { min, max: match[2] ? Infinity : match[3] === undefined ? min : Number(match[3]) }
}

export function isInVersions(range: VersionRange | null, version: number): boolean {
  return range !== null && version >= range.min && version <= range.max
}

/** The type parameters are what the caller declares; at run time there is nothing to tell them apart. */
function makeField<Decoded, Encoded, Optional extends boolean>(spec: {
  type: Primitive | 'struct'
  isList: boolean
  versions: string
  isNullable: boolean
  options: FieldOptions<unknown> | undefined
  fields: Fields | null
}): FieldSpec<Decoded, Encoded, Optional> {
  const { options = {} } = spec
  const versions = parseVersions(spec.versions)
  const nullable =
    options.nullable !== undefined
      ? parseVersions(options.nullable)
      : spec.isNullable
        ? versions
        : null
  return {
    type: spec.type,
    isList: spec.isList,
    versions,
    nullable,
    default: 'default' in options ? options.default : implicitDefault(spec),
    isOptional: 'default' in options || options.tag !== undefined || spec.versions !== '0+',
    tag: options.tag ?? null,
    fields: spec.fields,
    doc: options.doc ?? '',
  }
}

function implicitDefault(spec: {
  type: Primitive | 'struct'
  isList: boolean
  isNullable: boolean
}): unknown {
  if (spec.isNullable) return null
  if (spec.isList) return []
  switch (spec.type) {
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return ZERO_UUID
    case 'bytes':
    case 'records':
      return Buffer.alloc(0)
    case 'struct':
      return undefined // the codec fills in the struct's own defaults
    default:
      return 0
  }
}

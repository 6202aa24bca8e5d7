import { type Fields, type FieldSpec, isInVersions, type MessageSpec } from './schema'

/**
 * A message spec narrowed to one version: which fields travel, in which form. Both codecs are made
 * from it, the compiled one and its closure twin.
 */
export interface StructPlan {
  /** `MetadataResponse.topics`: where errors say the trouble is. */
  readonly path: string
  /** Whether a section of tagged fields follows. */
  readonly isFlexible: boolean
  /** Every field of the spec in its order, those of other versions included. */
  readonly fields: readonly FieldPlan[]
  /** The least a value can take; bounds how many elements a list can claim to have. */
  readonly minBytes: number
}

export interface FieldPlan {
  readonly name: string
  readonly spec: FieldSpec
  /** How it travels in this version; null if it does not. */
  readonly value: ValuePlan | null
  /** Null for a field that travels in line. */
  readonly tag: number | null
}

export type ValuePlan = ScalarPlan | NestedPlan | ListPlan
export interface ScalarPlan {
  readonly kind: 'scalar'
  readonly path: string
  /** The method of Reader and Writer. */
  readonly method: ScalarMethod
  /** How null is written where it is allowed; null where it is not. */
  readonly nullMark: NullMark | null
  /** Whether the reader's method can answer null at all. */
  readonly hasLength: boolean
  readonly minBytes: number
}
export interface NestedPlan {
  readonly kind: 'struct'
  readonly path: string
  readonly struct: StructPlan
  readonly nullMark: NullMark | null
  readonly minBytes: number
}
export interface ListPlan {
  readonly kind: 'list'
  readonly path: string
  readonly element: ValuePlan
  readonly lengthMethod: 'arrayLength' | 'compactArrayLength'
  readonly nullMark: NullMark | null
  readonly minBytes: number
}

/** What null looks like: a length or presence mark of -1, or a compact length of 0. */
export type NullMark = 'int8' | 'int16' | 'int32' | 'uvarint'
export type ScalarMethod =
  | FixedType
  | 'string'
  | 'compactString'
  | 'bytes'
  | 'compactBytes'
  | 'records'
  | 'compactRecords'
type FixedType = keyof typeof FIXED_BYTES

const FIXED_BYTES = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
} as const
const COMPACT = {
  string: 'compactString',
  bytes: 'compactBytes',
  records: 'compactRecords',
} as const
const NAME_PATTERN = /^[a-z][A-Za-z0-9]*$/

interface Context {
  readonly version: number
  readonly isFlexible: boolean
  readonly isInTag: boolean
}

/** @throws TypeError if the spec contradicts itself */
export function planOf(spec: MessageSpec, version: number): StructPlan {
  const isFlexible = version >= spec.flexibleFrom
  return planStruct(spec.fields, spec.name, { version, isFlexible, isInTag: false })
}

/** What a field is when nothing was sent for it. Lists and structs are fresh ones. */
export function defaultOf(spec: FieldSpec): unknown {
  if (spec.default === undefined && spec.fields !== null) return defaultStruct(spec.fields)
  return Array.isArray(spec.default) ? [...spec.default] : spec.default
}

/** A tagged field that equals its default is not sent. */
export function equalsDefault(spec: FieldSpec, value: unknown): boolean {
  if (value === undefined || value === spec.default) return true
  if (value === null || typeof value !== 'object' || spec.default === null) return false
  if (spec.isList || ArrayBuffer.isView(value)) return (value as { length?: number }).length === 0
  return Object.entries(spec.fields ?? {}).every(([name, inner]) =>
    equalsDefault(inner, (value as Record<string, unknown>)[name]),
  )
}

function defaultStruct(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, spec]) => [name, defaultOf(spec)]))
}

function planStruct(specs: Fields, path: string, context: Context): StructPlan {
  const fields = Object.entries(specs).map(([name, spec]) => planField(name, spec, path, context))
  const inline = fields.filter((field) => field.tag === null)
  return {
    path,
    isFlexible: context.isFlexible,
    fields,
    minBytes:
      inline.reduce((total, field) => total + (field.value?.minBytes ?? 0), 0) +
      (context.isFlexible ? 1 : 0),
  }
}

function planField(name: string, spec: FieldSpec, parent: string, context: Context): FieldPlan {
  const path = `${parent}.${name}`
  // Names become source text in the compiled codec.
  if (!NAME_PATTERN.test(name)) throw new TypeError(`${path}: not a field name`)
  if (!isInVersions(spec.versions, context.version)) {
    return { name, spec, value: null, tag: spec.tag }
  }
  if (spec.tag !== null && !context.isFlexible) {
    throw new TypeError(`${path}: tagged, but version ${context.version} is not flexible`)
  }
  const isInTag = context.isInTag || spec.tag !== null
  return { name, spec, value: planValue(spec, path, { ...context, isInTag }), tag: spec.tag }
}

function planValue(spec: FieldSpec, path: string, context: Context): ValuePlan {
  const isNullable = isInVersions(spec.nullable, context.version)
  if (!spec.isList) return planOne(spec, path, { ...context, isNullable })
  const { isFlexible } = context
  return {
    kind: 'list',
    path,
    element: planOne(spec, path, { ...context, isNullable: false }),
    lengthMethod: isFlexible ? 'compactArrayLength' : 'arrayLength',
    nullMark: isNullable ? (isFlexible ? 'uvarint' : 'int32') : null,
    minBytes: isFlexible ? 1 : 4,
  }
}

function planOne(
  spec: FieldSpec,
  path: string,
  context: Context & { isNullable: boolean },
): ScalarPlan | NestedPlan {
  const { isFlexible, isInTag, isNullable } = context
  const { type } = spec
  switch (type) {
    case 'struct': {
      const struct = planStruct(spec.fields ?? {}, path, context)
      // A nullable struct carries a mark of one byte in front.
      const nullMark = isNullable ? 'int8' : null
      return { kind: 'struct', path, struct, nullMark, minBytes: isNullable ? 1 : struct.minBytes }
    }
    case 'string':
    case 'bytes':
    case 'records': {
      if (type === 'records' && isInTag) {
        throw new TypeError(`${path}: records cannot travel in a tagged field`)
      }
      const plain = type === 'string' ? 'int16' : 'int32'
      return {
        kind: 'scalar',
        path,
        method: isFlexible ? COMPACT[type] : type,
        nullMark: isNullable ? (isFlexible ? 'uvarint' : plain) : null,
        hasLength: true,
        minBytes: isFlexible ? 1 : plain === 'int16' ? 2 : 4,
      }
    }
    default:
      return {
        kind: 'scalar',
        path,
        method: type,
        nullMark: null,
        hasLength: false,
        minBytes: FIXED_BYTES[type],
      }
  }
}

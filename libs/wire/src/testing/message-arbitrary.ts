import fc from 'fast-check'
import { defaultOf } from '../plan'
import { type Fields, type FieldSpec, isInVersions, type MessageSpec } from '../schema'

type Value = Record<string, unknown>

/**
 * Messages as `decode` would answer them: every field is there, those of other versions with their
 * default.
 */
export function messageArbitrary(spec: MessageSpec, version: number): fc.Arbitrary<Value> {
  return structArbitrary(spec.fields, version)
}

function structArbitrary(fields: Fields, version: number): fc.Arbitrary<Value> {
  const entries = Object.entries(fields).map(
    ([name, spec]) => [name, fieldArbitrary(spec, version)] as const,
  )
  return fc.record(Object.fromEntries(entries))
}

function fieldArbitrary(spec: FieldSpec, version: number): fc.Arbitrary<unknown> {
  if (!isInVersions(spec.versions, version)) return fc.constant(null).map(() => defaultOf(spec))
  const one = spec.fields ? structArbitrary(spec.fields, version) : scalarArbitrary(spec.type)
  const value = spec.isList ? fc.array(one, { maxLength: 3 }) : one
  // Defaults are what tagged fields leave out, so they have to come up often.
  const choices = [value, value, fc.constant(null).map(() => defaultOf(spec))]
  const isNullable = isInVersions(spec.nullable, version)
  if (spec.default === null && !isNullable) choices.pop()
  return fc.oneof(...choices, ...(isNullable ? [fc.constant(null)] : []))
}

function scalarArbitrary(type: FieldSpec['type']): fc.Arbitrary<unknown> {
  switch (type) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffff_ffff })
    case 'int64':
      return fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-(2 ** 63), 2 ** 63, -1, 2 ** 32))
    case 'float64':
      return fc.double({ noNaN: true })
    case 'uuid':
      return bytesArbitrary(16, 16).map((bytes) => bytes.toString('base64url'))
    case 'string':
      return fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.string({ minLength: 120, maxLength: 300 }),
      )
    default:
      return bytesArbitrary(0, 40)
  }
}

function bytesArbitrary(minLength: number, maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes))
}

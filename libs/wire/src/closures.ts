import { defaultOf, equalsDefault, type FieldPlan, type StructPlan, type ValuePlan } from './plan'
import type { Reader } from './reader'
import { mismatch, type Writer } from './writer'

/**
 * The codec without code generation: one closure per field, built once from the plan. It runs where
 * `new Function` is forbidden, and the tests hold the compiled codec to its bytes.
 */
export type Encode = (writer: Writer, value: unknown) => void
export type Decode = (reader: Reader) => unknown
type Struct = Record<string, unknown>

export function buildEncoder(plan: StructPlan): Encode {
  const inline: ((writer: Writer, struct: Struct) => void)[] = []
  const tagged: TaggedEncoder[] = []
  for (const field of plan.fields) {
    if (field.value === null) continue
    const write = encoderOf(field.value)
    if (field.tag !== null) tagged.push({ field, tag: field.tag, write })
    else inline.push((writer, struct) => write(writer, given(field, struct)))
  }
  tagged.sort((a, b) => a.tag - b.tag)
  return (writer, value) => {
    if (value === null || typeof value !== 'object') mismatch(plan.path, 'an object', value)
    const struct = value as Struct
    for (const write of inline) write(writer, struct)
    if (plan.isFlexible) writeTags(tagged, writer, struct)
  }
}

export function buildDecoder(plan: StructPlan): Decode {
  const inline: { name: string; read: Decode | null; field: FieldPlan }[] = []
  const tagged = new Map<number, { name: string; read: Decode }>()
  for (const field of plan.fields) {
    const { name, tag, value } = field
    const read = value === null ? null : decoderOf(value)
    if (read !== null && tag !== null) tagged.set(tag, { name, read })
    inline.push({ name, field, read: tag === null ? read : null })
  }
  return (reader) => {
    const struct: Struct = {}
    for (const { name, read, field } of inline) {
      struct[name] = read === null ? defaultOf(field.spec) : read(reader)
    }
    if (plan.isFlexible) readTags(tagged, reader, struct)
    return struct
  }
}

interface TaggedEncoder {
  readonly field: FieldPlan
  readonly tag: number
  readonly write: Encode
}

function given(field: FieldPlan, struct: Struct): unknown {
  const value = struct[field.name]
  return value === undefined && field.spec.isOptional ? defaultOf(field.spec) : value
}

function writeTags(tagged: readonly TaggedEncoder[], writer: Writer, struct: Struct): void {
  const sent = tagged.filter(({ field }) => !equalsDefault(field.spec, struct[field.name]))
  writer.uvarint(sent.length)
  for (const { field, tag, write } of sent) {
    const start = writer.beginTag(tag)
    write(writer, struct[field.name])
    writer.endTag(start)
  }
}

function readTags(
  tagged: ReadonlyMap<number, { name: string; read: Decode }>,
  reader: Reader,
  struct: Struct,
): void {
  for (let count = reader.uvarint(); count > 0; count--) {
    const field = tagged.get(reader.uvarint())
    const limit = reader.tagLimit()
    if (field === undefined) reader.skipTo(limit)
    else struct[field.name] = field.read(reader)
    reader.finishTag(limit)
  }
}

function encoderOf(plan: ValuePlan): Encode {
  const write = presentEncoder(plan)
  const { nullMark, path } = plan
  if (nullMark === null) return write
  return (writer, value) => {
    if (value !== null) write(writer, value)
    else if (nullMark === 'uvarint') writer.uvarint(0)
    else writer[nullMark](-1, path)
  }
}

function presentEncoder(plan: ValuePlan): Encode {
  const { path } = plan
  if (plan.kind === 'scalar') {
    const { method } = plan
    return (writer, value) => writer[method](value as never, path)
  }
  if (plan.kind === 'struct') {
    const write = buildEncoder(plan.struct)
    if (plan.nullMark === null) return write
    return (writer, value) => {
      writer.int8(1, path)
      write(writer, value)
    }
  }
  const writeElement = encoderOf(plan.element)
  const { lengthMethod } = plan
  return (writer, value) => {
    const list = value as readonly unknown[]
    writer[lengthMethod](list, path)
    for (const element of list) writeElement(writer, element)
  }
}

function decoderOf(plan: ValuePlan): Decode {
  const { path } = plan
  const isNullable = plan.nullMark !== null
  if (plan.kind === 'scalar') {
    const { method } = plan
    if (isNullable || !plan.hasLength) return (reader) => reader[method]()
    return (reader) => reader.present<unknown>(reader[method](), path)
  }
  if (plan.kind === 'struct') {
    const read = buildDecoder(plan.struct)
    return isNullable ? (reader) => (reader.int8() < 0 ? null : read(reader)) : read
  }
  const { lengthMethod, element } = plan
  const readElement = decoderOf(element)
  const elementMinBytes = Math.max(1, element.minBytes)
  return (reader) => {
    const count = reader[lengthMethod](elementMinBytes)
    if (count < 0) return isNullable ? null : reader.unexpectedNull(path)
    const list = new Array<unknown>(count)
    for (let index = 0; index < count; index++) list[index] = readElement(reader)
    return list
  }
}

import type { Decode, Encode } from './closures'
import { defaultOf, equalsDefault, type FieldPlan, type StructPlan, type ValuePlan } from './plan'
import { mismatch } from './writer'

/**
 * Turns a plan into the source of a JavaScript function. Each struct becomes a function that reads
 * its fields in order into one object literal, so the engine sees a fixed shape and constant
 * defaults; each list becomes a loop. What the source may call is Reader, Writer and `helpers`.
 *
 * Only names from our own schemas enter the source, and the plan has checked that they are plain
 * identifiers; bytes of a peer never do.
 */
export function compileEncoder(plan: StructPlan): Encode {
  const program = new Program()
  const entry = encodeStruct(program, plan)
  return program.link<Encode>(entry)
}

export function compileDecoder(plan: StructPlan): Decode {
  const program = new Program()
  const entry = decodeStruct(program, plan)
  return program.link<Decode>(entry)
}

/** False where the process was started with --disallow-code-generation-from-strings. */
export function canCompile(): boolean {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the question is whether this is allowed
    return new Function('return true')() as boolean
  } catch {
    return false
  }
}

/** Functions that were emitted so far, and values that have no literal. */
class Program {
  readonly #functions: string[] = []
  readonly #constants: unknown[] = []

  /** Adds a function and answers its name. */
  define(parameters: string, body: string): string {
    const name = `f${this.#functions.length}`
    this.#functions.push(`function ${name}(${parameters}) {\n${body}\n}`)
    return name
  }

  /** An expression for a value from outside, shared by all calls. */
  constant(value: unknown): string {
    this.#constants.push(value)
    return `constants[${this.#constants.length - 1}]`
  }

  link<Codec>(entry: string): Codec {
    const source = `'use strict'\n${this.#functions.join('\n')}\nreturn ${entry}`
    // oxlint-disable-next-line typescript/no-implied-eval -- made of our own schemas, nothing of a message enters the code
    const make = new Function('constants', 'mismatch', 'equalsDefault', source)
    return make(this.#constants, mismatch, equalsDefault) as Codec
  }
}

function encodeStruct(program: Program, plan: StructPlan): string {
  const lines = [
    `if (v === null || typeof v !== 'object') mismatch(${text(plan.path)}, 'an object', v)`,
  ]
  const tagged: FieldPlan[] = []
  for (const [index, field] of plan.fields.entries()) {
    if (field.value === null) continue
    if (field.tag !== null) tagged.push(field)
    else lines.push(encodeField(program, field, `x${index}`))
  }
  if (plan.isFlexible) lines.push(encodeTags(program, tagged))
  return program.define('w, v', lines.join('\n'))
}

function encodeField(program: Program, field: FieldPlan, local: string): string {
  const { name, spec, value } = field
  const isLet = spec.isOptional
  const declare = `${isLet ? 'let' : 'const'} ${local} = v.${name}`
  const fillIn = isLet ? `\nif (${local} === undefined) ${local} = ${literal(program, spec)}` : ''
  return `${declare}${fillIn}\n${encodeValue(program, value!, local)}`
}

function encodeTags(program: Program, tagged: FieldPlan[]): string {
  if (tagged.length === 0) return 'w.uvarint(0)'
  tagged.sort((a, b) => a.tag! - b.tag!)
  const decide = tagged.map(
    ({ name, spec, tag }) =>
      `const sent${tag} = !equalsDefault(${program.constant(spec)}, v.${name})\nif (sent${tag}) count++`,
  )
  const send = tagged.map(
    ({ name, value, tag }) => `if (sent${tag}) {
const x = v.${name}
const start = w.beginTag(${tag})
${encodeValue(program, value!, 'x')}
w.endTag(start)
}`,
  )
  return ['let count = 0', ...decide, 'w.uvarint(count)', ...send].join('\n')
}

/** A statement that writes the value of a local variable. */
function encodeValue(program: Program, plan: ValuePlan, local: string): string {
  const write = encodePresent(program, plan, local)
  const { nullMark, path } = plan
  if (nullMark === null) return write
  const writeNull = nullMark === 'uvarint' ? 'w.uvarint(0)' : `w.${nullMark}(-1, ${text(path)})`
  return `if (${local} === null) ${writeNull}\nelse { ${write} }`
}

function encodePresent(program: Program, plan: ValuePlan, local: string): string {
  const path = text(plan.path)
  if (plan.kind === 'scalar') return `w.${plan.method}(${local}, ${path})`
  if (plan.kind === 'struct') {
    const mark = plan.nullMark === null ? '' : `w.int8(1, ${path}); `
    return `${mark}${encodeStruct(program, plan.struct)}(w, ${local})`
  }
  const name = program.define(
    'w, list',
    `w.${plan.lengthMethod}(list, ${path})
for (let i = 0; i < list.length; i++) {
const item = list[i]
${encodeValue(program, plan.element, 'item')}
}`,
  )
  return `${name}(w, ${local})`
}

function decodeStruct(program: Program, plan: StructPlan): string {
  const lines: string[] = []
  const properties: string[] = []
  const tagged: { tag: number; read: string }[] = []
  for (const [index, { name, spec, value, tag }] of plan.fields.entries()) {
    const isInline = value !== null && tag === null
    const initial = isInline ? decodeValue(program, value) : literal(program, spec)
    lines.push(`let x${index} = ${initial}`)
    properties.push(`${name}: x${index}`)
    if (value !== null && tag !== null) {
      tagged.push({ tag, read: `x${index} = ${decodeValue(program, value)}` })
    }
  }
  if (plan.isFlexible) lines.push(decodeTags(tagged))
  lines.push(`return { ${properties.join(', ')} }`)
  return program.define('r', lines.join('\n'))
}

function decodeTags(tagged: readonly { tag: number; read: string }[]): string {
  if (tagged.length === 0) return 'r.skipTags()'
  const cases = tagged.map(({ tag, read }) => `case ${tag}: ${read}; break`)
  return `for (let count = r.uvarint(); count > 0; count--) {
const tag = r.uvarint()
const limit = r.tagLimit()
switch (tag) {
${cases.join('\n')}
default: r.skipTo(limit)
}
r.finishTag(limit)
}`
}

/** An expression that reads one value. */
function decodeValue(program: Program, plan: ValuePlan): string {
  const path = text(plan.path)
  const isNullable = plan.nullMark !== null
  if (plan.kind === 'scalar') {
    const read = `r.${plan.method}()`
    return isNullable || !plan.hasLength ? read : `r.present(${read}, ${path})`
  }
  if (plan.kind === 'struct') {
    const read = `${decodeStruct(program, plan.struct)}(r)`
    return isNullable ? `(r.int8() < 0 ? null : ${read})` : read
  }
  const name = program.define(
    'r, count',
    `if (count < 0) return ${isNullable ? 'null' : `r.unexpectedNull(${path})`}
const list = new Array(count)
for (let i = 0; i < count; i++) list[i] = ${decodeValue(program, plan.element)}
return list`,
  )
  return `${name}(r, r.${plan.lengthMethod}(${Math.max(1, plan.element.minBytes)}))`
}

/** An expression for the default of a field: a fresh object or list each time it is evaluated. */
function literal(program: Program, spec: FieldPlan['spec']): string {
  const value = defaultOf(spec)
  return ArrayBuffer.isView(value) ? program.constant(value) : JSON.stringify(value)
}

function text(value: string): string {
  return JSON.stringify(value)
}

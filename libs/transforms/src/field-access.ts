import { RecordError, type Schema, type Value } from '@millrace/connect-api'

/** The value as a struct or a schemaless object. @throws RecordError if it is neither */
export function requireObject(
  schema: Schema | null,
  value: Value,
  purpose: string,
): Record<string, Value> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject || Buffer.isBuffer(value) || (schema !== null && schema.type !== 'struct')) {
    const actual = schema === null ? typeof value : schema.type
    throw new RecordError(`${purpose} needs a struct or an object but got ${actual}`)
  }
  return value as Record<string, Value>
}

/** What a field holds, or its default in place of null where that is wanted. */
export function fieldValue(
  object: Record<string, Value>,
  name: string,
  schema: Schema | null,
  replaceNullWithDefault: boolean,
): Value {
  const value = Object.hasOwn(object, name) ? object[name] : null
  if (value !== null && value !== undefined) return value
  return (replaceNullWithDefault ? schema?.default : null) ?? null
}

/**
 * Splits a path of field syntax V2 at its dots. Backquotes around a step keep dots inside it: `a.`b.c`.d`.
 * @throws Error if a backquote is not closed
 */
export function parseFieldPath(path: string): readonly string[] {
  const steps: string[] = []
  let position = 0
  while (position <= path.length) {
    if (path[position] === '`') {
      const close = path.indexOf('`', position + 1)
      if (close === -1) throw new Error(`a path whose backquotes are closed`)
      steps.push(path.slice(position + 1, close))
      position = close + 2
    } else {
      const dot = path.indexOf('.', position)
      steps.push(path.slice(position, dot === -1 ? undefined : dot))
      position = dot === -1 ? path.length + 1 : dot + 1
    }
  }
  return steps
}

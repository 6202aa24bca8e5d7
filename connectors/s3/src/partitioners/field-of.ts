import type { Value } from '@millrace/connect-api'

/** A member of a struct, map or object by its path, `address.city`; undefined if there is none. */
export function fieldOf(value: Value, path: string): Value {
  let member: Value = value
  for (const name of path.split('.')) {
    if (typeof member !== 'object' || member === null) return undefined
    if (member instanceof Map) member = member.get(name)
    else member = Object.hasOwn(member, name) ? (member as Record<string, Value>)[name] : undefined
  }
  return member
}

/** What differs between two answers to one call. */
import type { Answer } from '../worker-on-kafka/rest.ts'

export interface Difference {
  readonly title: string
  /** `status`, `content type`, `location`, `message` or a path into the body. */
  readonly where: string
  readonly theirs: string
  readonly ours: string
}

/** Differ on every machine, or in every release. */
const masked = new Set(['worker_id', 'kafka_cluster_id', 'commit'])
const SHOWN_MAX_CHARACTERS = 200

export function compareAnswers(title: string, theirs: Answer, ours: Answer): Difference[] {
  const found: Difference[] = []
  const note = (where: string, a: unknown, b: unknown) =>
    found.push({ title, where, theirs: show(a), ours: show(b) })
  if (theirs.status !== ours.status) note('status', theirs.status, ours.status)
  if (mediaType(theirs) !== mediaType(ours))
    note('content type', mediaType(theirs), mediaType(ours))
  if (pathOf(theirs) !== pathOf(ours)) note('location', pathOf(theirs), pathOf(ours))
  compareValues('', parse(theirs.text), parse(ours.text), note)
  return found
}

function compareValues(
  path: string,
  theirs: unknown,
  ours: unknown,
  note: (where: string, theirs: unknown, ours: unknown) => void,
): void {
  if (Array.isArray(theirs) && Array.isArray(ours)) {
    const [a, b] = [keyed(theirs), keyed(ours)]
    compareKeys(path, a, b, note)
    return
  }
  if (isObject(theirs) && isObject(ours)) {
    compareKeys(path, theirs, ours, note)
    return
  }
  if (theirs !== ours) note(path === '' ? 'body' : path, theirs, ours)
}

function compareKeys(
  path: string,
  theirs: Record<string, unknown>,
  ours: Record<string, unknown>,
  note: (where: string, theirs: unknown, ours: unknown) => void,
): void {
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const below = path === '' ? key : `${path}.${key}`
    const isMasked = masked.has(key) && typeof theirs[key] === typeof ours[key]
    if (!isMasked) compareValues(below, theirs[key], ours[key], note)
  }
}

/** Lists are compared by what names their members; lists of plain texts, whose order Connect leaves open, as sets. */
function keyed(list: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(list.map((member, index) => [nameOf(member, index), member]))
}

function nameOf(member: unknown, index: number): string {
  if (typeof member === 'string') return member
  if (!isObject(member)) return String(index)
  // One class may be a converter and a header converter.
  if (typeof member.class === 'string') return `${String(member.type)} ${member.class}`
  const { name } = isObject(member.definition) ? member.definition : member
  return typeof name === 'string' ? name : String(index)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mediaType({ contentType }: Answer): string {
  return contentType.split(';')[0].toLowerCase()
}

/** Connect answers with an absolute address. */
function pathOf({ location }: Answer): string {
  return location.replace(/^https?:\/\/[^/]+/, '')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'absent').slice(0, SHOWN_MAX_CHARACTERS)
}

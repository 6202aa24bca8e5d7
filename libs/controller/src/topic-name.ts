import { controllerErrors } from './errors'

export const TOPIC_NAME_MAX_LENGTH = 249
const ALLOWED = /^[a-zA-Z0-9._-]+$/
const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

/** @throws PlatformError CONTROLLER_INVALID_TOPIC_NAME */
export function validateTopicName(name: string): void {
  const reason = problemOf(name)
  if (reason) throw controllerErrors.create('CONTROLLER_INVALID_TOPIC_NAME', { name, reason })
}

/** Two topics of one such key must not exist: metric names turn dots into underscores. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}

export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

function problemOf(name: string): string | null {
  if (name === '') return 'it is empty'
  if (name === '.' || name === '..') return 'it must not be "." or ".."'
  if (name.length > TOPIC_NAME_MAX_LENGTH) {
    return `it has ${name.length} characters, more than ${TOPIC_NAME_MAX_LENGTH}`
  }
  if (!ALLOWED.test(name)) {
    return 'only ASCII letters, digits, ".", "_" and "-" are allowed'
  }
  return null
}

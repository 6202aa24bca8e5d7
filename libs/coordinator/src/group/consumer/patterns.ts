/** Looks up which topics the patterns of a group stand for. */
import { ErrorCode, protocolError } from '@millrace/wire'
import { topicPattern } from '../../topic-pattern/topic-pattern'
import type { TopicsView } from '../../topics-view'
import type { ConsumerGroup } from './consumer-group'
import type { ConsumerGroupContext } from './context'
import type { GroupDraft } from './group-draft'

/** Topics that are made one after the other cause one rebalance in so much time, not one each. */
const REFRESH_MIN_INTERVAL_MS = 10_000

/** @throws ProtocolError INVALID_REGULAR_EXPRESSION */
export function checkPattern(text: string): void {
  topicPattern(text, (reason) => {
    throw protocolError(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `SubscribedTopicRegex \`${text}\` is not a valid regular expression: ${reason}.`,
    )
  })
}

/**
 * Forgets patterns that nobody subscribes to, looks up those that are new, and all of them when they are old or topics changed.
 * `mayDescribe` hides the topics that the member who asks may not see.
 */
export function refreshPatterns(
  draft: GroupDraft,
  context: ConsumerGroupContext,
  mayDescribe: (topic: string) => boolean,
): void {
  const { topics } = context
  dropPatterns(draft)
  const subscribed = subscribedPatterns(draft.group)
  if (subscribed.size === 0) return
  const { patterns } = draft.group
  const now = context.clock.now()
  const version = topics.version()
  const isDue = isRefreshDue(draft.group, context)
  const wanted = [...subscribed].filter((text) => isDue || !patterns.has(text))
  for (const [text, found] of lookUp(wanted, topics)) {
    draft.write({
      type: 'regular-expression',
      groupId: draft.groupId,
      regularExpression: text,
      value: { topics: found.filter(mayDescribe), version, timestamp: now },
    })
  }
}

/** Whether what patterns stand for is too old, or topics came since. */
export function isRefreshDue(
  { patterns }: ConsumerGroup,
  { topics, clock, options }: ConsumerGroupContext,
): boolean {
  const now = clock.now()
  for (const { timestamp, version } of patterns.values()) {
    if (now > timestamp + options.patternRefreshIntervalMs) return true
    if (version < topics.version() && now > timestamp + REFRESH_MIN_INTERVAL_MS) return true
  }
  return false
}

/** Forgets patterns that nobody subscribes to. */
export function dropPatterns(draft: GroupDraft): void {
  const subscribed = subscribedPatterns(draft.group)
  for (const regularExpression of draft.group.patterns.keys()) {
    if (subscribed.has(regularExpression)) continue
    const { groupId } = draft
    draft.write({ type: 'regular-expression', groupId, regularExpression, value: null })
  }
}

function subscribedPatterns(group: ConsumerGroup): Set<string> {
  const texts = new Set<string>()
  for (const { subscribedTopicRegex } of group.members.values()) {
    if (subscribedTopicRegex !== '') texts.add(subscribedTopicRegex)
  }
  return texts
}

/** One that is not valid was written by a version with another opinion: it stands for no topic. */
function lookUp(texts: readonly string[], topics: TopicsView): Map<string, string[]> {
  const found = new Map<string, string[]>()
  if (texts.length === 0) return found
  const names = [...topics.names()].sort()
  for (const text of texts) {
    const pattern = topicPattern(text)
    found.set(text, pattern ? names.filter((name) => pattern.matches(name)) : [])
  }
  return found
}

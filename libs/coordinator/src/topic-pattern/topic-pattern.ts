import { Matcher } from './matcher'
import { parsePattern, PatternSyntaxError } from './parse'

/** A pattern that a consumer subscribes to. It stands for the topics whose whole name matches. */
export interface TopicPattern {
  matches(topic: string): boolean
}

/** Null if it is no pattern in the syntax of RE2; then `onInvalid` is told why. */
export function topicPattern(
  text: string,
  onInvalid: (reason: string) => void = () => undefined,
): TopicPattern | null {
  try {
    return new Matcher(parsePattern(text))
  } catch (error) {
    if (!(error instanceof PatternSyntaxError)) throw error
    onInvalid(error.message)
    return null
  }
}

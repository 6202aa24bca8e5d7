import * as fc from 'fast-check'
import { topicPattern } from './topic-pattern'

const matches = (pattern: string, topic: string) => topicPattern(pattern)!.matches(topic)

describe('a topic pattern', () => {
  it.each([
    ['foo', 'foo', true],
    ['foo', 'foobar', false], // the whole name
    ['foo.*', 'foobar', true],
    ['foo|bar', 'bar', true],
    ['^foo$', 'foo', true],
    ['a^b', 'ab', false],
    ['(a|b)+c?', 'abab', true],
    ['(?:a|)b', 'b', true],
    ['[a-c]{2,3}', 'abca', false],
    ['[a-c]{2,3}', 'abc', true],
    ['a{2}', 'aa', true],
    ['a{,2}', 'a{,2}', true], // no repetition: then a brace is a character
    ['a{0}b', 'b', true],
    ['[^a-z]+', 'A_9', true],
    ['[]a]+', 'a]', true],
    ['[a\\-z]+', 'a-z', true],
    ['[a-]+', '-a', true],
    ['[[:alpha:]]+\\d', 'ab1', true],
    ['[[:^alpha:]]', 'a', false],
    ['[\\d_]+', '1_2', true],
    ['\\w+\\.\\W', 'a_1.-', true],
    ['\\Qa.b*\\E+', 'a.b***', true],
    ['\\x41\\x{42}\\103', 'ABC', true],
    ['(?i)AbC', 'aBc', true],
    ['(?i:a)b', 'AB', false],
    ['(?i)a(?-i)b', 'Ab', true],
    ['(?P<name>x)(?<other>y)', 'xy', true],
    ['\\pL\\p{Lu}\\P{L}\\p{^L}', 'aB1-', true],
    ['\\p{Greek}', 'a', false],
    ['a.\\bb', 'a-b', true],
    ['a\\Bb', 'ab', true],
    ['\\Aa\\z', 'a', true],
    ['.*?x', 'aax', true],
    ['ü', 'u', false],
    ['', '', true],
    ['', 'a', false],
  ])('%s and %s: %s', (pattern, topic, expected) => {
    expect(matches(pattern, topic)).toBe(expected)
  })

  it.each([
    '(',
    ')',
    '(a',
    'a)',
    '[',
    '[a',
    '[b-a]',
    '*',
    '+a',
    '?',
    'a**',
    'a{2}{3}',
    'a{1001}',
    'a{3,2}',
    '\\',
    '\\y',
    '\\1',
    '\\8',
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '(?a)',
    '[[:nope:]]',
    '\\p{Nope}',
    '\\x{110000}',
    '((((a{100}){100}){100}){100})',
    '('.repeat(10_000),
  ])('%s is refused', (pattern) => {
    const reasons: string[] = []
    expect(topicPattern(pattern, (reason) => reasons.push(reason))).toBeNull()
    expect(reasons).toHaveLength(1)
  })

  it('takes linear time where backtracking would take for ever', () => {
    const pattern = topicPattern('(a*)*(a|aa)*(.*a){12}b')!
    expect(pattern.matches('a'.repeat(249))).toBe(false)
  })

  it('agrees with the expressions of JavaScript where both have them', () => {
    const leaf = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '\\w',
      '\\.',
      'a*',
      'b+',
      'a?',
      'b{1,2}',
      '^',
      '$',
      '\\b',
      '\\B',
    )
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { weight: 3, arbitrary: leaf },
        { weight: 2, arbitrary: fc.tuple(tie('pattern'), tie('pattern')).map((p) => p.join('')) },
        {
          weight: 1,
          arbitrary: fc.tuple(tie('pattern'), tie('pattern')).map((p) => `(${p.join('|')})`),
        },
        { weight: 1, arbitrary: tie('pattern').map((p) => `(?:${p})*`) },
      ),
    }))
    const topic = fc.array(fc.constantFrom('a', 'b', '.', '-', 'A'), { maxLength: 6 })
    fc.assert(
      fc.property(pattern, fc.array(topic, { minLength: 1, maxLength: 5 }), (text, topics) => {
        const ours = topicPattern(text)!
        const theirs = new RegExp(`^(?:${text})$`)
        for (const chars of topics) {
          expect(ours.matches(chars.join(''))).toBe(theirs.test(chars.join('')))
        }
      }),
      { numRuns: 500 },
    )
  })
})

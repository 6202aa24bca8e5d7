import { parseFilter, parsePatterns } from './patterns'

it('matches whole names, in any case', () => {
  const matches = parsePatterns('public\\.item, shop\\..*')
  expect(['public.item', 'PUBLIC.Item', 'shop.a'].map(matches)).toEqual([true, true, true])
  expect(['public.items', 'xpublic.item', 'publicXitem'].map(matches)).toEqual([
    false,
    false,
    false,
  ])
})

it('keeps a comma that is escaped', () => {
  expect(parsePatterns('a{1\\,2}')('aa')).toBe(true)
})

it('lets everything pass without lists', () => {
  expect(parseFilter(null, null)('a.b')).toBe(true)
  expect(parseFilter('', 'a\\.b')('a.b')).toBe(false)
})

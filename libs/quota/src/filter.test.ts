import { filterProblem, matchesEntity, type FilterComponent } from './filter'

const exact = (entityType: string, match: string | null): FilterComponent => ({
  entityType,
  matchType: 0,
  match,
})
const byDefault = (entityType: string): FilterComponent => ({
  entityType,
  matchType: 1,
  match: null,
})
const any = (entityType: string): FilterComponent => ({ entityType, matchType: 2, match: null })

describe('a filter of quotas', () => {
  it('takes everything without components, unless it is strict', () => {
    expect(matchesEntity({ user: 'a' }, [], false)).toBe(true)
    expect(matchesEntity({ user: 'a' }, [], true)).toBe(false)
  })

  it('tells a name, the default and any one apart', () => {
    const takes = (component: FilterComponent, user: string | null) =>
      matchesEntity({ user }, [component], true)
    expect(takes(exact('user', 'a'), 'a')).toBe(true)
    expect(takes(exact('user', 'a'), null)).toBe(false)
    expect(takes(byDefault('user'), null)).toBe(true)
    expect(takes(byDefault('user'), 'a')).toBe(false)
    expect(takes(any('user'), 'a')).toBe(true)
    expect(takes(any('user'), null)).toBe(true)
    expect(takes(any('client-id'), 'a')).toBe(false)
  })

  it('takes entities with further types only if it is not strict', () => {
    const both = { user: 'a', 'client-id': 'c' }
    expect(matchesEntity(both, [exact('user', 'a')], false)).toBe(true)
    expect(matchesEntity(both, [exact('user', 'a')], true)).toBe(false)
    expect(matchesEntity(both, [exact('user', 'a'), any('client-id')], true)).toBe(true)
  })

  it.each([
    ['an empty type', [any('')], 'empty'],
    ['a type twice', [any('user'), byDefault('user')], 'twice'],
    ['no name to match', [exact('user', null)], 'no name'],
    ['a name with the default', [{ ...byDefault('user'), match: 'a' }], 'has a name'],
    ['a name with any', [{ ...any('user'), match: 'a' }], 'has a name'],
    ['a match type of the future', [{ ...any('user'), matchType: 3 }], 'Unknown match type'],
    ['an ip and a user', [any('ip'), any('user')], 'ip'],
  ])('is refused with %s', (_, components, says) => {
    expect(filterProblem(components)).toMatchObject({ isUnsupported: false })
    expect(filterProblem(components)?.message).toContain(says)
  })

  it('is told apart when it is only newer than we are', () => {
    expect(filterProblem([any('group')])).toMatchObject({ isUnsupported: true })
    expect(filterProblem([any('user'), exact('client-id', 'c')])).toBeNull()
  })
})

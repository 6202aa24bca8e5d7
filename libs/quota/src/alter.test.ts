import { alterationProblem, planAlterations, type Alteration } from './alter'
import { entityKey, type QuotaRecord } from './entity'

function anAlteration(
  entity: Record<string, string | null>,
  values: Record<string, number | null> = { producer_byte_rate: 1000 },
): Alteration {
  return {
    entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
    ops: Object.entries(values).map(([key, value]) => ({
      key,
      value: value ?? 0,
      remove: value === null,
    })),
  }
}

describe('an alteration', () => {
  it.each([
    ['no entity', anAlteration({}), 'empty'],
    ['an unknown entity type', anAlteration({ group: 'g' }), 'Unhandled'],
    ['an empty name', anAlteration({ user: '' }), 'Empty user'],
    ['an ip with a user', anAlteration({ ip: '10.0.0.1', user: 'a' }), 'ip'],
    [
      'a quota of ips for a user',
      anAlteration({ user: 'a' }, { connection_creation_rate: 1 }),
      'key',
    ],
    ['a quota of users for an ip', anAlteration({ ip: null }, { producer_byte_rate: 1 }), 'key'],
    ['nothing that is a quota', anAlteration({ user: 'a' }, { constructor: 1 }), 'key'],
    ['zero', anAlteration({ user: 'a' }, { producer_byte_rate: 0 }), 'greater than 0'],
    ['not a number', anAlteration({ user: 'a' }, { request_percentage: Number.NaN }), 'greater'],
    ['half a byte', anAlteration({ user: 'a' }, { consumer_byte_rate: 1.5 }), 'fraction'],
    ['more than a long', anAlteration({ user: 'a' }, { consumer_byte_rate: 1e19 }), 'too large'],
    ['no end', anAlteration({ user: 'a' }, { request_percentage: Infinity }), 'too large'],
    [
      'more than an int',
      anAlteration({ ip: null }, { connection_creation_rate: 2 ** 31 }),
      'large',
    ],
  ])('is refused with %s', (_, alteration, says) => {
    expect(alterationProblem(alteration)).toContain(says)
  })

  it('is refused when it says a quota twice', () => {
    const { entity, ops } = anAlteration({ user: 'a' })
    expect(alterationProblem({ entity, ops: [...ops, ...ops] })).toContain('twice')
  })

  it('is taken for users, client ids, both, defaults and addresses', () => {
    const entities: Record<string, string | null>[] = [
      { user: 'a' },
      { 'client-id': 'c' },
      { user: 'a', 'client-id': null },
    ]
    for (const entity of entities)
      expect(alterationProblem(anAlteration(entity, { request_percentage: 0.5 }))).toBeNull()
    expect(
      alterationProblem(anAlteration({ ip: '::1' }, { connection_creation_rate: 5 })),
    ).toBeNull()
    // Kafka removes what it does not know without a word.
    expect(alterationProblem(anAlteration({ user: 'a' }, { unknown: null }))).toBeNull()
  })
})

describe('planAlterations', () => {
  const present = new Map<string, QuotaRecord>([
    [
      entityKey({ user: 'a' }),
      { entity: { user: 'a' }, values: { producer_byte_rate: 1, consumer_byte_rate: 2 } },
    ],
  ])
  const plan = (...alterations: Alteration[]) => [...planAlterations(present, alterations)]

  it('changes what is named and keeps the rest', () => {
    expect(plan(anAlteration({ user: 'a' }, { producer_byte_rate: 5 }))).toEqual([
      [
        'user=a',
        { entity: { user: 'a' }, values: { producer_byte_rate: 5, consumer_byte_rate: 2 } },
      ],
    ])
  })

  it('removes the record of an entity without quotas', () => {
    expect(
      plan(anAlteration({ user: 'a' }, { producer_byte_rate: null, consumer_byte_rate: null })),
    ).toEqual([['user=a', null]])
  })

  it('changes nothing that is so already', () => {
    expect(plan(anAlteration({ user: 'a' }, { producer_byte_rate: 1 }))).toEqual([])
    expect(plan(anAlteration({ user: 'b' }, { producer_byte_rate: null }))).toEqual([])
  })
})

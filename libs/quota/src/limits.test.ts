import fc from 'fast-check'
import { entityKey, QuotaName, type QuotaEntity, type QuotaRecord } from './entity'
import { Limits } from './limits'

const ALICE = { user: 'alice', clientId: 'app' }

function aQuota(entity: QuotaEntity, value: number, name: string = QuotaName.PRODUCE): QuotaRecord {
  return { entity, values: { [name]: value } }
}

/** From the most specific one on, in Kafka's order. */
const ORDER: readonly QuotaEntity[] = [
  { user: 'alice', 'client-id': 'app' },
  { user: 'alice', 'client-id': null },
  { user: 'alice' },
  { user: null, 'client-id': 'app' },
  { user: null, 'client-id': null },
  { user: null },
  { 'client-id': 'app' },
  { 'client-id': null },
]

describe('Limits', () => {
  it('take the most specific quota of those that are set', () => {
    fc.assert(
      fc.property(fc.subarray([...ORDER.keys()], { minLength: 1 }), (set) => {
        const limits = new Limits(
          set.map((index) => aQuota(ORDER[index], index + 1)),
          QuotaName.PRODUCE,
        )
        expect(limits.find(ALICE)?.perSecond).toBe(Math.min(...set) + 1)
      }),
    )
  })

  it('hold nobody up whom no quota is for', () => {
    const others = [
      aQuota({ user: 'bob' }, 1),
      aQuota({ 'client-id': 'other' }, 1),
      aQuota({ user: 'alice', 'client-id': 'other' }, 1),
      aQuota({ ip: null }, 1),
      aQuota({ user: 'alice' }, 1, QuotaName.FETCH),
    ]
    expect(new Limits(others, QuotaName.PRODUCE).find(ALICE)).toBeNull()
    expect(new Limits([], QuotaName.PRODUCE).isEmpty).toBe(true)
  })

  it('are shared by all clients of a user, and not by the users of a default', () => {
    const limits = new Limits([aQuota({ user: null }, 1)], QuotaName.PRODUCE)
    const ownerOf = (user: string, clientId: string) => limits.find({ user, clientId })?.owner
    expect(ownerOf('alice', 'a')).toBe(ownerOf('alice', 'b'))
    expect(ownerOf('alice', 'a')).not.toBe(ownerOf('bob', 'a'))
  })

  it('are one for each client id where a quota names client ids', () => {
    const limits = new Limits([aQuota({ user: 'alice', 'client-id': null }, 1)], QuotaName.PRODUCE)
    const ownerOf = (clientId: string) => limits.find({ user: 'alice', clientId })?.owner
    expect(ownerOf('a')).not.toBe(ownerOf('b'))
  })

  it('do not take the name of a default for the default', () => {
    const names = ['', 'user', '<default>', 'a/client-id=b', 'null']
    const keys = new Set([entityKey({ user: null }), ...names.map((user) => entityKey({ user }))])
    expect(keys.size).toBe(names.length + 1)
    expect(entityKey({ user: 'a', 'client-id': 'b' })).not.toBe(
      entityKey({ user: 'a/client-id=b' }),
    )
  })

  it('remember clients, and forget them when there are very many', () => {
    const limits = new Limits([aQuota({ user: 'alice' }, 7)], QuotaName.PRODUCE)
    for (let index = 0; index < 25_000; index++)
      limits.find({ user: `user-${index}`, clientId: 'app' })
    expect(limits.find(ALICE)).toBe(limits.find(ALICE))
  })
})

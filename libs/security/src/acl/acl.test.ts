import { aclKey, aclProblem, type Acl } from './acl'
import { aclFilterProblem, matchesFilter, type AclFilter } from './acl-filter'

const ACL: Acl = {
  resourceType: 2,
  resourceName: 'orders',
  patternType: 3,
  principal: 'User:alice',
  host: '*',
  operation: 3,
  permissionType: 3,
}
const ANY: AclFilter = {
  resourceType: 1,
  resourceName: null,
  patternType: 1,
  principal: null,
  host: null,
  operation: 1,
  permissionType: 1,
}

describe('an ACL', () => {
  it.each([
    ['a cluster of another name', { resourceType: 4 }, 'CLUSTER'],
    ['an empty name', { resourceName: '' }, 'empty'],
    ['any resource type', { resourceType: 1 }, 'resourceType ANY'],
    ['a resource type of the future', { resourceType: 99 }, 'resourceType UNKNOWN'],
    ['a pattern that only filters have', { patternType: 2 }, 'patternType MATCH'],
    ['any operation', { operation: 1 }, 'operation ANY'],
    ['an unknown operation', { operation: 77 }, 'operation UNKNOWN'],
    ['any permission', { permissionType: 1 }, 'permissionType ANY'],
    ['a principal without its type', { principal: 'alice' }, 'colon'],
  ])('is refused with %s', (_, parts, says) => {
    expect(aclProblem({ ...ACL, ...parts })).toContain(says)
  })

  it('is taken when it is whole', () => {
    expect(aclProblem(ACL)).toBeNull()
    expect(aclProblem({ ...ACL, resourceType: 4, resourceName: 'kafka-cluster' })).toBeNull()
  })

  it('has a key of its own, whatever stands in its names', () => {
    const keys = [
      ACL,
      { ...ACL, patternType: 4 },
      { ...ACL, resourceName: 'orders/User:alice' },
      { ...ACL, resourceName: 'orders%2FUser:alice' },
      { ...ACL, host: '10.0.0.1' },
      { ...ACL, operation: 4 },
      { ...ACL, permissionType: 2 },
    ].map(aclKey)
    expect(new Set(keys).size).toBe(keys.length)
  })
})

describe('a filter', () => {
  const matches = (filter: Partial<AclFilter>, acl: Partial<Acl> = {}) =>
    matchesFilter({ ...ANY, ...filter }, { ...ACL, ...acl })

  it('takes everything when it says nothing', () => {
    expect(matches({})).toBe(true)
    expect(matches({}, { patternType: 4, resourceType: 6, permissionType: 2 })).toBe(true)
  })

  it('takes only what is equal in each field that it names', () => {
    for (const [field, other] of [
      ['resourceType', 3],
      ['resourceName', 'order'],
      ['patternType', 4],
      ['principal', 'User:*'],
      ['host', '10.0.0.1'],
      ['operation', 2],
      ['permissionType', 2],
    ] as const) {
      expect(matches({ [field]: ACL[field] })).toBe(true)
      expect(matches({ [field]: other })).toBe(false)
    }
  })

  it('finds with MATCH every pattern that covers a name, and with ANY those made with it', () => {
    const covers = (acl: Partial<Acl>) => matches({ patternType: 2, resourceName: 'orders' }, acl)
    expect(covers({})).toBe(true)
    expect(covers({ resourceName: '*' })).toBe(true)
    expect(covers({ resourceName: 'ord', patternType: 4 })).toBe(true)
    expect(covers({ resourceName: 'ord' })).toBe(false)
    expect(covers({ resourceName: '*', patternType: 4 })).toBe(false)
    expect(matches({ resourceName: 'orders' }, { resourceName: '*' })).toBe(false)
    expect(matches({ resourceName: 'orders' }, { resourceName: 'ord', patternType: 4 })).toBe(false)
  })

  it('is refused for a deletion when it has a code that nobody knows', () => {
    expect(aclFilterProblem(ANY)).toBeNull()
    expect(aclFilterProblem({ ...ANY, patternType: 9 })).toContain('resources')
    expect(aclFilterProblem({ ...ANY, operation: 99 })).toContain('entries')
  })
})

import { isUnderMinIsr } from './isr'

describe('isUnderMinIsr', () => {
  it('refuses an append when fewer replicas are in sync than the topic asks for', () => {
    expect(isUnderMinIsr({ replicaCount: 3, isrCount: 1, minInsyncReplicas: 2 })).toBe(true)
    expect(isUnderMinIsr({ replicaCount: 3, isrCount: 2, minInsyncReplicas: 2 })).toBe(false)
  })

  it('asks for no more copies than there are replicas', () => {
    expect(isUnderMinIsr({ replicaCount: 1, isrCount: 1, minInsyncReplicas: 2 })).toBe(false)
    expect(isUnderMinIsr({ replicaCount: 1, isrCount: 0, minInsyncReplicas: 2 })).toBe(true)
  })
})

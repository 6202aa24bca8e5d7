import { QuotaName, type QuotaRecord } from './entity'
import { Quotas } from './quotas'

const CONFIG = {
  quotaWindowNum: 11,
  quotaWindowSizeSeconds: 1,
  controllerQuotaWindowNum: 11,
  controllerQuotaWindowSizeSeconds: 1,
}
const ALICE = { user: 'alice', clientId: 'app' }
const BOB = { user: 'bob', clientId: 'app' }

function quotasOf(records: readonly QuotaRecord[]): Quotas {
  const quotas = new Quotas(CONFIG)
  quotas.apply(records, (name) => (name === 'known.host' ? '10.0.0.9' : name))
  return quotas
}

function ofUser(user: string | null, name: string, value: number): QuotaRecord {
  return { entity: { user }, values: { [name]: value } }
}

describe('byte rates', () => {
  it('hold up who writes too much, and nobody else', () => {
    const { produce } = quotasOf([ofUser('alice', QuotaName.PRODUCE, 1000)])
    expect(produce.record(ALICE, 10_000, 0)).toBe(0) // what ten seconds may bring
    expect(produce.record(ALICE, 1000, 0)).toBe(1000)
    expect(produce.record(BOB, 1_000_000, 0)).toBe(0)
  })

  it('are used up by all clients of a user together', () => {
    const { fetch } = quotasOf([ofUser('alice', QuotaName.FETCH, 1000)])
    fetch.record({ user: 'alice', clientId: 'a' }, 10_000, 0)
    expect(fetch.record({ user: 'alice', clientId: 'b' }, 2000, 0)).toBe(2000)
  })

  it('tell what would be too much for a client that did nothing', () => {
    const { fetch } = quotasOf([ofUser('alice', QuotaName.FETCH, 1000)])
    expect(fetch.maxAtOnce(ALICE)).toBe(10_000)
    expect(fetch.maxAtOnce(BOB)).toBe(Infinity)
    expect(fetch.record(ALICE, 10_000, 0)).toBe(0)
  })

  it('count what was used before a limit was changed', () => {
    const quotas = quotasOf([ofUser('alice', QuotaName.PRODUCE, 1000)])
    quotas.produce.record(ALICE, 10_000, 0)
    quotas.apply([ofUser('alice', QuotaName.PRODUCE, 100)], (name) => name)
    expect(quotas.produce.record(ALICE, 1, 0)).toBeGreaterThan(80_000)
  })

  it('remember a bounded number of clients', () => {
    const { produce } = quotasOf([
      { entity: { 'client-id': null }, values: { [QuotaName.PRODUCE]: 10 } },
    ])
    for (let index = 0; index < 30_000; index++)
      produce.record({ user: 'x', clientId: `client-${index}` }, 1, index)
    expect(produce.record({ user: 'x', clientId: 'client-0' }, 200, 30_000)).toBe(10_000)
  })
})

describe('the percentage of request time', () => {
  it('asks for no single wait longer than a sample', () => {
    const { request } = quotasOf([ofUser(null, QuotaName.REQUEST, 1)])
    expect(request.record(ALICE, 50, 0)).toBe(1000)
  })
})

describe('the rate of changes of topics', () => {
  const strictly = (nowMs: number) => ({ isStrict: true, nowMs })

  it('grants a whole burst, and then nothing until the debt is paid', () => {
    const { mutation } = quotasOf([ofUser('alice', QuotaName.MUTATION, 2)])
    expect(mutation.permit(ALICE, 30, strictly(0))).toEqual({ isGranted: true, throttleMs: 0 })
    // 22 tokens were there at most, 8 are owed at 2 a second.
    expect(mutation.permit(ALICE, 1, strictly(0))).toEqual({ isGranted: false, throttleMs: 4000 })
    expect(mutation.permit(ALICE, 1, strictly(4000))).toEqual({ isGranted: true, throttleMs: 0 })
  })

  it('lets older clients through and makes them wait', () => {
    const { mutation } = quotasOf([ofUser('alice', QuotaName.MUTATION, 2)])
    expect(mutation.permit(ALICE, 30, { isStrict: false, nowMs: 0 })).toEqual({
      isGranted: true,
      throttleMs: 4000,
    })
  })
})

describe('the rate of new connections', () => {
  const ofIp = (ip: string | null, value: number): QuotaRecord => ({
    entity: { ip },
    values: { [QuotaName.CONNECTION]: value },
  })

  it('is that of the address, or the default', () => {
    const { connection } = quotasOf([ofIp('10.0.0.1', 1), ofIp(null, 2)])
    const taken = (address: string) => {
      let count = 0
      while (count < 100 && connection.record(address, 0) === 0) count += 1
      return count
    }
    expect(taken('10.0.0.1')).toBe(10)
    expect(taken('10.0.0.2')).toBe(20)
  })

  it('does not count who was refused, so that knocking does not keep the door shut', () => {
    const { connection } = quotasOf([ofIp('10.0.0.1', 1)])
    for (let count = 0; count < 10; count++) connection.record('10.0.0.1', 0)
    for (let count = 0; count < 1000; count++)
      expect(connection.record('10.0.0.1', 500)).toBeGreaterThan(0)
    expect(connection.record('10.0.0.1', 11_500)).toBe(0)
  })

  it('asks for the address of a host name', () => {
    const { connection } = quotasOf([ofIp('known.host', 1)])
    for (let count = 0; count < 10; count++) expect(connection.record('10.0.0.9', 0)).toBe(0)
    expect(connection.record('10.0.0.9', 0)).toBeGreaterThan(0)
  })
})

describe('quotas', () => {
  it('are asked only while one on requests is set', () => {
    expect(quotasOf([]).isEnabled).toBe(false)
    expect(quotasOf([{ entity: { ip: null }, values: { x: 1 } }]).isEnabled).toBe(false)
    expect(quotasOf([ofUser('alice', QuotaName.REQUEST, 50)]).isEnabled).toBe(true)
  })
})

describe('the rate at which a broker lets connections in', () => {
  const limits = (perSecond: number, ofOut = Infinity) => ({
    perSecond,
    perSecondOfListener: new Map([['OUT', ofOut]]),
  })
  /** How many come to a listener before one has to wait, that one included. */
  const countUntilWait = ({ accept }: Quotas, listenerName: string): number => {
    for (let count = 1; count < 1000; count++) if (accept.record(listenerName, 0) > 0) return count
    return Infinity
  }

  it('is that of all listeners together', () => {
    const quotas = quotasOf([])
    quotas.accept.setLimits(limits(2))
    for (let count = 0; count < 15; count++) expect(quotas.accept.record('IN', 0)).toBe(0)
    expect(countUntilWait(quotas, 'OUT')).toBe(6)
  })

  it('may be lower for one listener, and holds up no other then', () => {
    const quotas = quotasOf([])
    quotas.accept.setLimits(limits(100, 1))
    expect(countUntilWait(quotas, 'OUT')).toBe(11)
    expect(quotas.accept.record('IN', 0)).toBe(0)
  })

  it('makes nobody wait for more than one sample', () => {
    const { accept } = quotasOf([])
    accept.setLimits(limits(0))
    expect(accept.record('IN', 0)).toBe(1000)
    accept.setLimits(limits(1))
    for (let count = 0; count < 100; count++) accept.record('IN', 0)
    expect(accept.record('IN', 0)).toBe(1000)
  })

  it('does not count who was refused', () => {
    const { accept } = quotasOf([])
    accept.setLimits(limits(1, 1))
    for (let count = 0; count < 100; count++) {
      expect(accept.record('OUT', 0)).toBe(0)
      accept.takeBack('OUT', 0)
    }
  })
})

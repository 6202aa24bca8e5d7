import { brokerKeys, findBrokerKey, isKnownProperty, listenerBaseName } from './broker-keys'
import { applyChanges, keyFinder } from './change'
import { clientMetricsDefinition, parseMatch } from './client-metrics-keys'
import { merge } from './dynamic-config'
import { clusterWideKeys, listenerOnlyKeys, perBrokerKeys } from './dynamic-keys'
import { groupProblems } from './group-keys'
import { keysWithoutEffect } from './keys-without-effect'

describe('the table of broker keys', () => {
  it('has a default for each key that its own parser takes', () => {
    for (const { name, default: value, parse, format } of brokerKeys.values()) {
      if (value === null || value === undefined) continue
      expect({ name, again: format(parse(format(value))) }).toEqual({ name, again: format(value) })
    }
  })

  it('says of no key twice what it does', () => {
    const names = keysWithoutEffect.map(({ name }) => name)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
    const shadowed = keysWithoutEffect.filter((key) => brokerKeys.get(key.name) !== key)
    expect(shadowed.map(({ name }) => name)).toEqual([])
  })

  it('knows every key that may change while a broker runs, but for two of quotas', () => {
    const dynamic = [...perBrokerKeys, ...clusterWideKeys, ...listenerOnlyKeys]
    expect(dynamic.filter((name) => !brokerKeys.has(name))).toEqual([
      'follower.replication.throttled.rate',
      'leader.replication.throttled.rate',
    ])
  })

  it('finds the key of a property that is for one listener, or one of its mechanisms', () => {
    expect(listenerBaseName('listener.name.in.ssl.client.auth')).toBe('ssl.client.auth')
    const jaas = 'listener.name.in.scram-sha-256.sasl.jaas.config'
    expect(listenerBaseName(jaas)).toBe('sasl.jaas.config')
    expect(findBrokerKey(jaas)).toMatchObject({ name: jaas, type: 'PASSWORD' })
    expect(isKnownProperty('listener.name.in.no.such.key')).toBe(false)
    expect(isKnownProperty('unstable.api.versions.enable')).toBe(true)
    expect(listenerBaseName('num.io.threads')).toBeNull()
  })
})

describe('layers of configs', () => {
  it('lay later ones over earlier ones, and take the same setting in another unit away', () => {
    expect(
      merge(
        { 'log.retention.ms': '5', 'log.roll.hours': '1', a: '1' },
        { 'log.retention.hours': '2', a: '2' },
      ),
    ).toEqual({ 'log.retention.hours': '2', 'log.roll.hours': '1', a: '2' })
  })

  it('keep two units of a setting that stand in the same layer', () => {
    const layer = { 'log.retention.ms': '5', 'log.retention.hours': '2' }
    expect(merge({ 'log.retention.minutes': '1' }, layer)).toEqual(layer)
  })
})

describe('changes of configs', () => {
  const keyOf = keyFinder(clientMetricsDefinition)
  const change = (operation: 'append' | 'subtract', value: string) =>
    applyChanges({ metrics: 'a.,b.' }, [{ name: 'metrics', operation, value }], keyOf).metrics

  it('add to a list what it does not have, and take away what it has', () => {
    expect(change('append', 'b.,c.')).toBe('a.,b.,c.')
    expect(change('subtract', 'a.,x.')).toBe('b.')
    expect(change('subtract', 'a.,b.')).toBe('')
  })

  it('refuse to add to what is no list, and to what nobody knows', () => {
    for (const name of ['interval.ms', 'unknown'])
      expect(() => applyChanges({}, [{ name, operation: 'append', value: '1' }], keyOf)).toThrow(
        expect.objectContaining({ code: 'INVALID_CONFIG' }),
      )
  })
})

describe('configs of groups', () => {
  it('stay within what the broker allows, and a session is longer than a heartbeat', () => {
    const broker = { 'group.consumer.max.session.timeout.ms': '50000' }
    expect(groupProblems({ 'consumer.session.timeout.ms': '50000' }, broker)).toEqual([])
    expect(groupProblems({ 'consumer.session.timeout.ms': '50001' }, broker)).toHaveLength(1)
    const wide = { ...broker, 'group.consumer.max.heartbeat.interval.ms': '50000' }
    const heartbeat = { 'consumer.heartbeat.interval.ms': '45000' }
    expect(groupProblems(heartbeat, wide)).toHaveLength(1)
  })
})

describe('patterns of client metrics', () => {
  it('are a property and a regular expression over the whole value', () => {
    expect(parseMatch('client_id=app-.*')?.value.test('app-1')).toBe(true)
    expect(parseMatch('client_id=app')?.value.test('app-1')).toBe(false)
    for (const wrong of ['shoe_size=4', 'client_id', 'client_id=', 'client_id=[', 'client_id=a=b'])
      expect(parseMatch(wrong)).toBeNull()
  })
})

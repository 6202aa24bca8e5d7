import type { ConfigProblem } from '@millrace/config'
import { parseIpOverrides, parseListenerLimits } from './connection-limits'
import {
  parseListenerSecurity,
  propertiesOfListener,
  type ListenerSecurity,
  type SecurityProtocol,
} from './listener-security'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
const OAUTH = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'

function parse(
  protocol: SecurityProtocol,
  given: Record<string, string>,
): { security: ListenerSecurity; problems: ConfigProblem[] } {
  return parseListenerSecurity(propertiesOfListener(given, 'OUT'), protocol)
}

const mechanismsOf = (given: Record<string, string>) => {
  const { security, problems } = parse('SASL_PLAINTEXT', given)
  expect(problems).toEqual([])
  return security.sasl!.mechanisms
}

describe('parseListenerSecurity', () => {
  it('takes what is written for the listener and the mechanism before what is written for all', () => {
    const [plain, scram] = mechanismsOf({
      'sasl.enabled.mechanisms': 'GSSAPI',
      'connections.max.reauth.ms': '1',
      'listener.name.out.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      'listener.name.out.connections.max.reauth.ms': '2',
      'listener.name.out.plain.connections.max.reauth.ms': '3',
      'listener.name.out.plain.sasl.jaas.config': `${PLAIN} user_alice="a" username="alice";`,
      'listener.name.other.plain.sasl.jaas.config': `${PLAIN} user_eve="e";`,
    })
    expect(plain).toEqual({
      name: 'PLAIN',
      passwords: new Map([['alice', 'a']]),
      maxReauthMs: 3,
    })
    expect(scram).toMatchObject({ name: 'SCRAM-SHA-256', maxReauthMs: 2 })
  })

  it('checks tokens against a key set where there is one, and believes them only where a module says so', () => {
    const jwks = { 'sasl.oauthbearer.jwks.endpoint.url': 'https://issuer/keys' }
    const enabled = { 'sasl.enabled.mechanisms': 'OAUTHBEARER' }
    expect(mechanismsOf({ ...enabled, ...jwks })).toMatchObject([{ tokens: { isSigned: true } }])
    const jaas = { 'listener.name.out.oauthbearer.sasl.jaas.config': `${OAUTH};` }
    expect(mechanismsOf({ ...enabled, ...jaas })).toMatchObject([{ tokens: { isSigned: false } }])
    expect(parse('SASL_PLAINTEXT', enabled).problems).toHaveLength(1)
  })

  it.each([
    ['GSSAPI', 'sasl.enabled.mechanisms', 'Kerberos is not served'],
    ['', 'sasl.enabled.mechanisms', 'at least one'],
    ['PLAIN', 'listener.name.out.plain.sasl.jaas.config', 'a login module'],
    ['DIGEST-MD5', 'sasl.enabled.mechanisms', 'PLAIN, SCRAM'],
  ])('refuses the mechanisms "%s" with what to write', (mechanisms, key, expected) => {
    const { problems } = parse('SASL_PLAINTEXT', { 'sasl.enabled.mechanisms': mechanisms })
    expect(problems).toMatchObject([{ key, expected: expect.stringContaining(expected) }])
  })

  it('never shows a password in a problem', () => {
    const { problems } = parse('SASL_PLAINTEXT', {
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.out.plain.sasl.jaas.config': `${PLAIN} user_alice="very secret"`,
    })
    expect(problems).toHaveLength(1)
    expect(JSON.stringify(problems)).not.toContain('secret')
  })

  it('looks into a store at the start, not when the first client comes', () => {
    const store = { 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': '/store' }
    const readFile = () => Buffer.from([0x30, 0x03, 0x02, 0x01, 0x03])
    const { problems } = parseListenerSecurity(propertiesOfListener(store, 'OUT'), 'SSL', readFile)
    expect(problems).toMatchObject([
      { key: 'ssl.keystore.location', expected: expect.stringContaining('can be used') },
    ])
  })

  it('wants a certificate for TLS, under the name that was written', () => {
    expect(parse('SSL', {}).problems).toMatchObject([
      { key: 'listener.name.out.ssl.keystore.location', given: null },
    ])
    const missing = { 'listener.name.out.ssl.keystore.location': '/nowhere' }
    expect(parse('SSL', missing).problems).toMatchObject([
      { key: 'listener.name.out.ssl.keystore.location', given: '/nowhere' },
    ])
  })
})

describe('limits on connections', () => {
  it('are read by host', () => {
    const { overrides, problems } = parseIpOverrides('127.0.0.1:5, ::1:6,[fe80::1]:7,a.b:8')
    expect(problems).toEqual([])
    expect(overrides).toEqual([
      { host: '127.0.0.1', max: 5 },
      { host: '::1', max: 6 },
      { host: 'fe80::1', max: 7 },
      { host: 'a.b', max: 8 },
    ])
    expect(parseIpOverrides('nowhere,1.2.3.4:x').problems).toHaveLength(2)
  })

  it('of a listener are those that name it', () => {
    const given = {
      'max.connections': '10',
      'max.connection.creation.rate': '20',
      'listener.name.out.max.connections': '3',
      'listener.name.out.max.connection.creation.rate': '5',
    }
    expect(parseListenerLimits(given, 'OUT')).toEqual({
      limits: { maxConnections: 3, maxConnectionCreationRate: 5 },
      problems: [],
    })
    expect(parseListenerLimits(given, 'IN').limits).toEqual({
      maxConnections: Infinity,
      maxConnectionCreationRate: Infinity,
    })
  })
})

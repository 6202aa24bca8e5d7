import type { Clock } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'
import { oauthConfigDefinition } from './config'
import { JwksValidator } from './jwks-validator'
import { formatClientResponse, parseClientResponse } from './messages'
import { oauthMechanism, type TokenValidator } from './server'
import { parseUnsecuredOptions, unsecuredValidator } from './unsecured-validator'

const NOW_MS = 1_700_000_000_000
const NOW_S = NOW_MS / 1000
let monotonicMs = 0
const clock = { now: () => NOW_MS, monotonicMs: () => monotonicMs } as Clock

describe('the messages of OAUTHBEARER', () => {
  it('come back as they were written', () => {
    const text = formatClientResponse('a.b.c', new Map([['traceId', '123']]))
    expect(parseClientResponse(text)).toEqual({ authorizationId: '', token: 'a.b.c' })
    expect(parseClientResponse('n,a=bob,\u0001auth=bearer x\u0001\u0001')).toEqual({
      authorizationId: 'bob',
      token: 'x',
    })
  })

  it.each([
    '',
    'n,,\u0001\u0001',
    'n,,\u0001auth=Basic x\u0001\u0001',
    'n,,\u0001auth=Bearer\u0001\u0001',
    'n,,\u0001auth=Bearer x y\u0001\u0001',
    'n,,\u0001auth=Bearer x\u0001',
    'y,,\u0001auth=Bearer x\u0001\u0001',
  ])('are refused when they are like %j', (text) => {
    expect(parseClientResponse(text)).toBeNull()
  })
})

describe('OAUTHBEARER', () => {
  const message = Buffer.from(formatClientResponse('token', new Map()))
  const refused: string[] = []
  const begin = (validate: TokenValidator['validate']) =>
    oauthMechanism({ validate }, (reason) => refused.push(reason)).begin()

  it('logs in the user of a token until the token expires', async () => {
    const exchange = begin(async () => ({ userName: 'carol', expiresAtMs: 5 }))
    const { login } = await exchange.evaluate(message)
    expect(login).toEqual({ userName: 'carol', isToken: false, expiresAtMs: 5 })
  })

  it('tells the client why a token is refused, and fails once that is acknowledged', async () => {
    const exchange = begin(async () => ({
      status: 'invalid_token',
      scope: null,
      reason: 'expired',
    }))
    const step = await exchange.evaluate(message)
    expect(step).toEqual({ challenge: Buffer.from('{"status":"invalid_token"}'), login: null })
    expect(refused).toEqual(['expired'])
    await expect(exchange.evaluate(Buffer.from([1]))).rejects.toMatchObject({
      clientMessage: '{"status":"invalid_token"}',
    })
  })

  it('refuses another authorization id, and an acknowledgement of nothing', async () => {
    const exchange = begin(async () => ({ userName: 'carol', expiresAtMs: 5 }))
    await expect(
      exchange.evaluate(Buffer.from('n,a=root,\u0001auth=Bearer x\u0001\u0001')),
    ).rejects.toMatchObject({ clientMessage: expect.stringContaining('(root)') })
    await expect(exchange.evaluate(Buffer.from([1]))).rejects.toMatchObject({ clientMessage: null })
  })
})

describe('unsecured tokens', () => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const token = (claims: object, header: object = { alg: 'none' }, signature = '') =>
    `${encode(header)}.${encode(claims)}.${signature}`
  const options = new Map([['unsecuredValidatorRequiredScope', 'read']])
  const validator = unsecuredValidator(clock, parseUnsecuredOptions(options))
  const good = { sub: 'carol', exp: NOW_S + 60, iat: NOW_S, scope: ['read', 'write'] }

  it('are believed while they last', async () => {
    expect(await validator.validate(token(good))).toEqual({
      userName: 'carol',
      expiresAtMs: NOW_MS + 60_000,
    })
  })

  it.each([
    ['expired', token({ ...good, exp: NOW_S }), 'invalid_token'],
    ['issued in the future', token({ ...good, iat: NOW_S + 1 }), 'invalid_token'],
    ['without an end', token({ ...good, exp: undefined }), 'invalid_token'],
    ['without a user', token({ ...good, sub: ' ' }), 'invalid_token'],
    ['without the scope', token({ ...good, scope: 'write' }), 'insufficient_scope'],
    ['signed', token(good, { alg: 'HS256' }, 'xxxx'), 'invalid_token'],
    [
      'with a signature that nobody asked for',
      token(good, { alg: 'none' }, 'xxxx'),
      'invalid_token',
    ],
    ['nonsense', 'a.b.', 'invalid_token'],
    ['in two parts', 'a.b', 'invalid_token'],
    ['null', `${encode({ alg: 'none' })}.bnVsbA.`, 'invalid_token'],
  ])('are refused when %s', async (_, text, status) => {
    expect(await validator.validate(text)).toMatchObject({ status })
  })
})

describe('JwksValidator', () => {
  const settings = {
    'sasl.oauthbearer.expected.issuer': 'https://issuer',
    'sasl.oauthbearer.expected.audience': 'kafka,other',
  }
  const { config } = parseConfig(oauthConfigDefinition, settings)
  let keySet: JSONWebKeySet | Error
  let loads = 0
  const create = () => {
    monotonicMs = 0
    loads = 0
    const load = async () => {
      loads += 1
      if (Error.isError(keySet)) throw keySet
      return keySet
    }
    return new JwksValidator({ clock, load }, config)
  }

  async function issuer(kid: string) {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }
    const sign = (claims: object = {}) =>
      new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
    return { jwk, sign }
  }
  const good = { iss: 'https://issuer', aud: 'kafka', sub: 'carol', iat: NOW_S, exp: NOW_S + 60 }

  it('believes what the issuer has signed, and nobody else', async () => {
    const [ours, theirs] = [await issuer('a'), await issuer('a')]
    keySet = { keys: [ours.jwk] }
    const validator = create()
    expect(await validator.validate(await ours.sign())).toEqual({
      userName: 'carol',
      expiresAtMs: NOW_MS + 60_000,
    })
    for (const token of [
      await theirs.sign(),
      await ours.sign({ iss: 'https://else' }),
      await ours.sign({ aud: 'else' }),
      await ours.sign({ exp: NOW_S - 31 }),
      await ours.sign({ exp: undefined }),
      await ours.sign({ iat: undefined }),
      await ours.sign({ sub: '' }),
      'not.a.token',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(good)).toString('base64url')}.`,
    ])
      expect(await validator.validate(token)).toMatchObject({ status: 'invalid_token' })
    expect(loads).toBe(1)
  })

  it('fetches the keys for a token with a new one, but not for every stranger', async () => {
    const [old, fresh, stranger] = [await issuer('old'), await issuer('new'), await issuer('x')]
    keySet = { keys: [old.jwk] }
    const validator = create()
    await validator.validate(await old.sign())
    keySet = { keys: [old.jwk, fresh.jwk] }
    monotonicMs += config.jwksRetryBackoffMaxMs
    expect(await validator.validate(await fresh.sign())).toMatchObject({ userName: 'carol' })
    expect(loads).toBe(2)
    const token = await stranger.sign()
    for (let i = 0; i < 5; i++)
      expect(await validator.validate(token)).toMatchObject({ status: 'invalid_token' })
    expect(loads).toBe(2)
  })

  it('uses the keys that it has while the issuer is away', async () => {
    const { jwk, sign } = await issuer('a')
    keySet = { keys: [jwk] }
    const validator = create()
    await validator.validate(await sign())
    keySet = new Error('away')
    monotonicMs += config.jwksRefreshMs
    expect(await validator.validate(await sign())).toMatchObject({ userName: 'carol' })
    expect(loads).toBe(2)
  })

  it('tries again after a first fetch that failed', async () => {
    const { jwk, sign } = await issuer('a')
    keySet = new Error('away')
    const validator = create()
    expect(await validator.validate(await sign())).toMatchObject({ reason: 'away' })
    keySet = { keys: [jwk] }
    monotonicMs += config.jwksRetryBackoffMs
    expect(await validator.validate(await sign())).toMatchObject({ userName: 'carol' })
  })
})

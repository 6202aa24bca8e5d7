import { randomBytes } from 'node:crypto'
import { saltedPassword, scramHashes } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from '../harness'
import { PLAIN_MODULE, plainLogin, scramLogin } from './login'

let broker: TestBroker
const clients: RawClient[] = []

async function open(): Promise<RawClient> {
  const client = await RawClient.open(broker.port)
  clients.push(client)
  return client
}

async function openAs(name: string): Promise<RawClient> {
  const client = await open()
  expect((await plainLogin(client, name, 'x')).errorCode).toBe(ErrorCode.NONE)
  return client
}

beforeAll(async () => {
  broker = await startTestBroker({
    listeners: 'SASL_PLAINTEXT://127.0.0.1:0',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${PLAIN_MODULE} user_alice="x" user_bob="x" user_eve="x";`,
    'delegation.token.secret.key': 'a secret of the brokers',
    'delegation.token.max.lifetime.ms': '60000',
    'delegation.token.expiry.time.ms': '20000',
    'connection.failed.authentication.delay.ms': '0',
  })
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
afterAll(() => broker.stop())

describe('users of SCRAM', () => {
  const salt = randomBytes(16)
  const upsertion = (name: string, password: string, iterations = 4096) => {
    const salted = saltedPassword(scramHashes[0], password, { salt, iterations })
    return { name, mechanism: 1, iterations, salt, saltedPassword: salted }
  }
  const alter = async (
    upsertions: ReturnType<typeof upsertion>[],
    deletions: { name: string; mechanism: number }[] = [],
  ) => {
    const client = await openAs('alice')
    const request = { upsertions, deletions }
    const { results } = await client.ask(ApiKey.AlterUserScramCredentials, 0, request)
    return results.map(({ user, errorCode }) => [user, errorCode])
  }

  it('can log in from the answer on, after a restart too, until they are removed', async () => {
    expect(await alter([upsertion('carol', 'first')])).toEqual([['carol', 0]])
    const logIn = async (secret: string) => {
      const { errorCode } = await scramLogin(await open(), { name: 'carol', secret })
      return errorCode
    }
    expect(await logIn('first')).toBe(ErrorCode.NONE)
    await alter([upsertion('carol', 'second')])
    expect(await logIn('first')).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
    await broker.restart()
    expect(await logIn('second')).toBe(ErrorCode.NONE)
    expect(await alter([], [{ name: 'carol', mechanism: 1 }])).toEqual([['carol', 0]])
    expect(await logIn('second')).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
  })

  it('are described without what proves their passwords', async () => {
    await alter([upsertion('dave', 'x', 8192)])
    const client = await openAs('alice')
    const describe = async (users: { name: string }[] | null) =>
      (await client.ask(ApiKey.DescribeUserScramCredentials, 0, { users })).results
    const dave = {
      user: 'dave',
      errorCode: 0,
      credentialInfos: [{ mechanism: 1, iterations: 8192 }],
    }
    expect(await describe(null)).toMatchObject([dave])
    expect(await describe([])).toMatchObject([dave])
    expect(await describe([{ name: 'dave' }, { name: 'nobody' }])).toMatchObject([
      dave,
      { user: 'nobody', errorCode: ErrorCode.RESOURCE_NOT_FOUND, credentialInfos: [] },
    ])
    expect(await describe([{ name: 'dave' }, { name: 'dave' }])).toMatchObject([
      { user: 'dave', errorCode: ErrorCode.DUPLICATE_RESOURCE },
    ])
  })

  it('are refused one by one', async () => {
    const results = await alter(
      [
        upsertion('few', 'x', 4095),
        upsertion('many', 'x', 16_385),
        upsertion('', 'x'),
        { ...upsertion('odd', 'x'), mechanism: 3 },
        upsertion('twice', 'x'),
        upsertion('twice', 'y'),
        upsertion('good', 'x'),
      ],
      [
        { name: 'nobody', mechanism: 1 },
        { name: 'unknown', mechanism: 9 },
      ],
    )
    expect(Object.fromEntries(results)).toEqual({
      nobody: ErrorCode.RESOURCE_NOT_FOUND,
      unknown: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
      few: ErrorCode.UNACCEPTABLE_CREDENTIAL,
      many: ErrorCode.UNACCEPTABLE_CREDENTIAL,
      '': ErrorCode.UNACCEPTABLE_CREDENTIAL,
      odd: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
      twice: ErrorCode.DUPLICATE_RESOURCE,
      good: ErrorCode.NONE,
    })
  })
})

describe('delegation tokens', () => {
  const create = async (client: RawClient, more: object = {}) => {
    const renewers = [{ principalType: 'User', principalName: 'bob' }]
    return client.ask(ApiKey.CreateDelegationToken, 3, { renewers, maxLifetimeMs: -1, ...more })
  }
  const logIn = (client: RawClient, { tokenId, hmac }: { tokenId: string; hmac: Buffer }) =>
    scramLogin(client, {
      name: tokenId,
      secret: hmac.toString('base64'),
      extensions: ',tokenauth=true',
    })

  it('log in as their owner, and may not make others', async () => {
    const token = await create(await openAs('alice'))
    expect(token).toMatchObject({ errorCode: 0, principalName: 'alice' })
    expect(token.expiryTimestampMs - token.issueTimestampMs).toBe(20_000)
    expect(token.maxTimestampMs - token.issueTimestampMs).toBe(60_000)
    const client = await open()
    const login = await logIn(client, token)
    expect(login).toMatchObject({ errorCode: 0 })
    expect(login.sessionLifetimeMs).toBeGreaterThan(15_000)
    expect(await create(client)).toMatchObject({
      errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
      principalName: 'alice',
    })
  })

  it('do not log in with another password, nor as a plain user', async () => {
    const token = await create(await openAs('alice'))
    const failed = { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED }
    expect(await logIn(await open(), { ...token, hmac: Buffer.alloc(64) })).toMatchObject(failed)
    const secret = token.hmac.toString('base64')
    expect(await scramLogin(await open(), { name: token.tokenId, secret })).toMatchObject(failed)
  })

  it('are seen and renewed by their owner and renewers, and by nobody else without a right', async () => {
    const { hmac, tokenId } = await create(await openAs('alice'), { maxLifetimeMs: 30_000 })
    for (const [name, isIn] of [
      ['alice', true],
      ['bob', true],
    ] as const) {
      const client = await openAs(name)
      const { tokens } = await client.ask(ApiKey.DescribeDelegationToken, 3, { owners: null })
      expect(tokens.some((token) => token.tokenId === tokenId)).toBe(isIn)
      const renewed = await client.ask(ApiKey.RenewDelegationToken, 2, { hmac, renewPeriodMs: -1 })
      expect(renewed.errorCode).toBe(ErrorCode.NONE)
    }
    const eve = await openAs('eve')
    const request = { hmac, renewPeriodMs: -1 }
    expect(await eve.ask(ApiKey.RenewDelegationToken, 2, request)).toMatchObject({
      errorCode: ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH,
      expiryTimestampMs: -1,
    })
    const wrong = { hmac: Buffer.alloc(64), renewPeriodMs: -1 }
    expect(await eve.ask(ApiKey.RenewDelegationToken, 2, wrong)).toMatchObject({
      errorCode: ErrorCode.DELEGATION_TOKEN_NOT_FOUND,
    })
  })

  it('end when they are told to', async () => {
    const alice = await openAs('alice')
    const token = await create(alice)
    const expire = (expiryTimePeriodMs: number) =>
      alice.ask(ApiKey.ExpireDelegationToken, 2, { hmac: token.hmac, expiryTimePeriodMs })
    expect((await expire(1)).errorCode).toBe(ErrorCode.NONE)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await logIn(await open(), token)).toMatchObject({
      errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
    })
    expect((await expire(1000)).errorCode).toBe(ErrorCode.DELEGATION_TOKEN_EXPIRED)
    expect((await expire(-1)).errorCode).toBe(ErrorCode.NONE)
    expect((await expire(-1)).errorCode).toBe(ErrorCode.DELEGATION_TOKEN_NOT_FOUND)
  })

  it('have users as renewers only', async () => {
    const renewers = [{ principalType: 'Group', principalName: 'all' }]
    expect(await create(await openAs('alice'), { renewers })).toMatchObject({
      errorCode: ErrorCode.INVALID_PRINCIPAL_TYPE,
    })
  })

  it('are off without a secret', async () => {
    await broker.restart({ 'delegation.token.secret.key': '' })
    expect(await create(await openAs('alice'))).toMatchObject({
      errorCode: ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED,
    })
  })
})

import { credentialOf, clientProof, saltedPassword, scramHashes } from './credential'
import { parseClientFinal, parseClientFirst, parseServerFirst } from './messages'
import { scramMechanism, type ScramCredentials } from './server'

const [sha256, sha512] = scramHashes

/** The exchange of RFC 7677, section 3. */
const rfc = {
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
}

const credential = (password: string, iterations = 4096) => {
  const options = { salt: rfc.salt, iterations }
  return credentialOf(sha256, saltedPassword(sha256, password, options), options)
}

const credentials: ScramCredentials = {
  ofUser: (name) =>
    name === 'user'
      ? credential('pencil')
      : name === 'weak'
        ? credential('pencil', 1)
        : name === 'a,b=c'
          ? credential('pencil')
          : null,
  ofToken: (id) =>
    id === 'token'
      ? { credential: credential('hmac'), ownerName: 'owner', expiresAtMs: 1234 }
      : null,
}

/** Plays a client. */
function logIn(first: string, password: string, change = (final: string) => final) {
  const exchange = scramMechanism(sha256, credentials).begin()
  const step = exchange.evaluate(Buffer.from(first)) as { challenge: Buffer; login: null }
  const serverFirst = step.challenge.toString()
  const { nonce, salt, iterations } = parseServerFirst(serverFirst)!
  const withoutProof = `c=biws,r=${nonce}`
  const bare = first.slice(first.indexOf('n=', 1))
  const auth = `${bare},${serverFirst},${withoutProof}`
  const proof = clientProof(sha256, saltedPassword(sha256, password, { salt, iterations }), auth)
  const final = change(`${withoutProof},p=${proof.toString('base64')}`)
  return exchange.evaluate(Buffer.from(final)) as { challenge: Buffer; login: unknown }
}

describe('SCRAM', () => {
  it('makes the proof and the signature of RFC 7677', () => {
    const nonce = `rOprNGfwEbeRWgbNEkqO${rfc.serverNonce}`
    const serverFirst = `r=${nonce},s=${rfc.salt.toString('base64')},i=4096`
    const auth = `${rfc.clientFirst.slice(3)},${serverFirst},c=biws,r=${nonce}`
    const salted = saltedPassword(sha256, 'pencil', { salt: rfc.salt, iterations: 4096 })
    expect(clientProof(sha256, salted, auth).toString('base64')).toBe(rfc.proof)
  })

  it('logs in who has the password, and proves that it knows them', () => {
    const { challenge, login } = logIn(rfc.clientFirst, 'pencil')
    expect(login).toEqual({ userName: 'user', isToken: false, expiresAtMs: null })
    expect(challenge.toString()).toMatch(/^v=.{44}$/)
  })

  // librdkafka 2.0.2 of Debian 12 could not log in: Kafka refuses it too since CVE-2024-56128, older Kafkas did not.
  it('takes the nonce as old librdkafkas send it back', () => {
    const exchange = scramMechanism(sha256, credentials).begin()
    const step = exchange.evaluate(Buffer.from(rfc.clientFirst)) as { challenge: Buffer }
    const { nonce, salt, iterations } = parseServerFirst(step.challenge.toString())!
    const withoutProof = `c=biws,r=rOprNGfwEbeRWgbNEkqO${nonce}`
    const auth = `${rfc.clientFirst.slice(3)},${step.challenge.toString()},${withoutProof}`
    const proof = clientProof(sha256, saltedPassword(sha256, 'pencil', { salt, iterations }), auth)
    const final = `${withoutProof},p=${proof.toString('base64')}`
    expect(exchange.evaluate(Buffer.from(final))).toMatchObject({ login: { userName: 'user' } })
  })

  it('takes names with commas and equals signs', () => {
    const { login } = logIn('n,,n=a=2Cb=3Dc,r=nonce', 'pencil')
    expect(login).toMatchObject({ userName: 'a,b=c' })
  })

  it('logs in the owner of a delegation token', () => {
    const { login } = logIn('n,,n=token,r=nonce,tokenauth=true', 'hmac')
    expect(login).toEqual({ userName: 'owner', isToken: true, expiresAtMs: 1234 })
  })

  it.each([
    ['a wrong password', () => logIn(rfc.clientFirst, 'pencils'), 'the password is wrong'],
    ['a user that does not exist', () => logIn('n,,n=who,r=x', 'x'), 'there is no such user'],
    [
      'a token that does not exist',
      () => logIn('n,,n=who,r=x,tokenauth=true', 'x'),
      'there is no such delegation token',
    ],
    ['too few iterations', () => logIn('n,,n=weak,r=x', 'pencil'), 'only 1 iterations'],
    [
      'another nonce',
      () => logIn(rfc.clientFirst, 'pencil', (text) => text.replace(',r=', ',r=a')),
      'another nonce',
    ],
    [
      'a proof of another length',
      () => logIn(rfc.clientFirst, 'pencil', (text) => text.replace(/p=.*/, 'p=AAAA')),
      'the password is wrong',
    ],
    ['channel binding', () => logIn('p=tls-unique,,n=user,r=x', 'pencil'), 'cannot be read'],
    ['no message at all', () => logIn('', 'pencil'), 'cannot be read'],
  ])('refuses %s, and tells the client nothing about it', (_, attempt, reason) => {
    expect(attempt).toThrow(
      expect.objectContaining({ message: expect.stringContaining(reason), clientMessage: null }),
    )
  })

  it('tells a client that wants to be somebody else', () => {
    expect(() => logIn('n,a=root,n=user,r=x', 'pencil')).toThrow(
      expect.objectContaining({
        clientMessage: expect.stringContaining('different from username'),
      }),
    )
  })

  it('keeps nothing that one could log in with (SEC-5)', () => {
    const options = { salt: rfc.salt, iterations: 4096 }
    const salted = saltedPassword(sha512, 'pencil', options)
    const kept = Object.values(credentialOf(sha512, salted, options)).filter((part) =>
      Buffer.isBuffer(part),
    )
    expect(kept.every((bytes) => !bytes.equals(salted))).toBe(true)
  })

  it('reads long nonsense without a long wait', () => {
    const nonsense = `n,,n=${'=2C'.repeat(100_000)}\u0001,r=${'x'.repeat(100_000)},,`
    expect(parseClientFirst(nonsense)).toBeNull()
    expect(parseClientFinal(`c=${'AAAA'.repeat(100_000)},r=x,p=`)).not.toBeNull()
  })
})

import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { parseConfig } from '@millrace/config'
import { tlsServerConfigDefinition } from './config'
import { subjectOf } from './distinguished-name'
import { certificatesOfPkcs12 } from './pkcs12'
import { parsePrincipalRules } from './principal-mapping'
import { loadTlsMaterial } from './stores'

const isHere = (program: string) => spawnSync(program, ['-help']).error === undefined
const describeOpenssl = isHere('openssl') ? describe : describe.skip
const describeKeytool = isHere('keytool') ? describe : describe.skip
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

const directory = mkdtempSync(join(tmpdir(), 'millrace-stores-'))
const path = (name: string) => join(directory, name)
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function makeCertificate(name: string, subject: string): X509Certificate {
  const files = ['-keyout', path(`${name}.key`), '-out', path(`${name}.pem`)]
  openssl('req', '-x509', ...EC, '-nodes', ...files, '-utf8', '-subj', subject, '-days', '2')
  return new X509Certificate(readFileSync(path(`${name}.pem`)))
}

const load = (properties: Record<string, string>) => {
  const { config } = parseConfig(tlsServerConfigDefinition, properties)
  return loadTlsMaterial(config, readFileSync)
}

/** What damaged input may do: give something, or be refused. */
function outcome(read: () => unknown): string {
  try {
    return typeof read()
  } catch (error) {
    return Error.isError(error) ? 'error' : 'not an error'
  }
}

describe('ssl.principal.mapping.rules', () => {
  const name = 'CN=kafka1,OU=SME,O=mycp,L=Fulton,ST=MD,C=US'

  it.each([
    ['DEFAULT', name, name],
    ['RULE:^CN=(.*?),.*$/$1/', name, 'kafka1'],
    [
      'RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,RULE:^CN=(.*?),OU=(.*?),.*$/$1@$2/L',
      name,
      'kafka1@sme',
    ],
    ['RULE:^CN=(.*?),.*$/$1/U , DEFAULT', name, 'KAFKA1'],
    ['RULE:^cn=(.*)$/$1/, DEFAULT', name, name],
    ['RULE:.*CN=([^,]+).*/user-$1-$2/', name, 'user-kafka1-$2'],
    ['RULE:^CN=(\\w+).*$/$12/', name, 'kafka12'],
    ['RULE:CN=a\\/b/c\\/d/', 'CN=a/b', 'c/d'],
    ['RULE:^CN=nobody$/x/', name, null],
  ])('%s', (rules, subject, expected) => {
    expect(parsePrincipalRules(rules)(subject)).toBe(expected)
  })

  it.each(['RULE:x', 'RULE:x/y', 'RULE:x/y/Z', 'default', 'RULE:(/x/', 'DEFAULT RULE:a/b/'])(
    'refuses %s',
    (rules) => {
      expect(() => parsePrincipalRules(rules)).toThrow(Error)
    },
  )
})

describeOpenssl(isHere('openssl') ? 'certificates' : 'certificates (skipped: no openssl)', () => {
  // What Java's X500Principal.getName() says of the same certificate: Kafka's ACLs hold these texts.
  it('have names in the text form of Java', () => {
    const subject =
      '/C=CH/ST=Zürich/O=Mill\\, Race /OU=#1/emailAddress=a@b.ch/serialNumber=77/DC=com/UID=u1/CN= lead "q" <x>;\\\\ end /title=T'
    expect(subjectOf(makeCertificate('odd', subject).raw)).toBe(
      '2.5.4.12=#0c0154,CN=\\ lead \\"q\\" \\<x\\>\\;\\\\ end\\ ,UID=u1,DC=com,2.5.4.5=#13023737,1.2.840.113549.1.9.1=#16066140622e6368,OU=\\#1,O=Mill\\, Race\\ ,ST=Zürich,C=CH',
    )
  })

  it('that are cut short or changed are refused, or give some name', () => {
    const { raw } = makeCertificate('cut', '/CN=cut')
    for (let length = 0; length < raw.length; length++)
      expect(() => subjectOf(raw.subarray(0, length))).toThrow(Error)
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(raw)
        changed[at] = value
        expect(['string', 'error']).toContain(outcome(() => subjectOf(changed)))
      }),
    )
  })

  describe('stores', () => {
    let certificate: X509Certificate
    beforeAll(() => {
      certificate = makeCertificate('broker', '/CN=broker')
      makeCertificate('other', '/CN=other')
      const key = ['-inkey', path('broker.key'), '-in', path('broker.pem')]
      openssl('pkcs12', '-export', ...key, '-out', path('key.p12'), '-passout', 'pass:p')
      const encrypted = ['-out', path('encrypted.key'), '-passout', 'pass:k']
      openssl('pkcs8', '-topk8', '-in', path('broker.key'), ...encrypted)
    })

    const pemOf = (file: string) => readFileSync(path(file), 'utf8')

    it('in PEM are read from a file or from the config itself', () => {
      const inline = load({
        'ssl.keystore.key': pemOf('broker.key'),
        'ssl.keystore.certificate.chain': pemOf('broker.pem'),
        'ssl.truststore.certificates': pemOf('broker.pem') + pemOf('other.pem'),
      })
      expect(inline.problems).toEqual([])
      expect(inline.material.ca).toHaveLength(2)
      expect(new X509Certificate(inline.material.cert!).raw).toEqual(certificate.raw)
    })

    it('take an encrypted key with its password only', () => {
      const properties = {
        'ssl.keystore.key': pemOf('encrypted.key'),
        'ssl.keystore.certificate.chain': pemOf('broker.pem'),
      }
      expect(load({ ...properties, 'ssl.key.password': 'k' }).problems).toEqual([])
      expect(load({ ...properties, 'ssl.key.password': 'x' }).problems).toHaveLength(1)
      expect(load(properties).problems).toHaveLength(1)
    })

    it.each([
      [{ 'ssl.keystore.key': 'KEY' }, 'together'],
      [{ 'ssl.keystore.key': 'KEY', 'ssl.keystore.certificate.chain': 'OTHER' }, 'of the key'],
      [
        {
          'ssl.keystore.key': 'KEY',
          'ssl.keystore.certificate.chain': 'KEY',
          'ssl.keystore.location': '/x',
        },
        'either this or ssl.keystore.location',
      ],
      [{ 'ssl.keystore.location': '/nowhere' }, 'a file that can be read'],
      [{ 'ssl.truststore.certificates': 'nonsense' }, 'at least one certificate'],
      [{ 'ssl.cipher.suites': 'no such suite' }, 'IANA'],
    ])('that do not fit are named: %j', (given, expected) => {
      const texts: Record<string, string> = { KEY: pemOf('broker.key'), OTHER: pemOf('other.pem') }
      const entries = Object.entries(given).map(([key, value]) => [key, texts[value] ?? value])
      const { problems } = load(Object.fromEntries(entries) as Record<string, string>)
      expect(problems).toMatchObject([{ expected: expect.stringContaining(expected) }])
      expect(JSON.stringify(problems)).not.toContain('PRIVATE')
    })

    it('in PKCS#12 give Node the file, or the certificates that are trusted', () => {
      const properties = { 'ssl.keystore.location': path('key.p12'), 'ssl.keystore.password': 'p' }
      const { material, problems } = load(properties)
      expect(problems).toEqual([])
      expect(material.pfx).toEqual(readFileSync(path('key.p12')))
    })

    it.each([
      ['today', []],
      ['of old', ['-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
      ['without encryption', ['-certpbe', 'NONE']],
    ])('of trust in PKCS#12 are read as openssl writes them %s', (_, options) => {
      const files = ['-in', path('broker.pem'), '-out', path('trust.p12')]
      openssl('pkcs12', '-export', '-nokeys', ...files, ...options, '-passout', 'pass:geheim ü')
      const [pem] = certificatesOfPkcs12(readFileSync(path('trust.p12')), 'geheim ü')
      expect(new X509Certificate(pem).raw).toEqual(certificate.raw)
    })

    it('of trust are not read with a wrong password', () => {
      const files = ['-in', path('broker.pem'), '-out', path('locked.p12')]
      openssl('pkcs12', '-export', '-nokeys', ...files, '-passout', 'pass:right')
      const wrong = () => certificatesOfPkcs12(readFileSync(path('locked.p12')), 'wrong')
      expect(wrong).toThrow(/^its password is wrong$|^DER: /)
    })

    describeKeytool(isHere('keytool') ? 'of keytool' : 'of keytool (skipped: no keytool)', () => {
      it('are read in PKCS#12, and refused in real JKS', () => {
        const keytool = (type: string) => {
          const store = ['-keystore', path(`trust.${type}`), '-storetype', type, '-noprompt']
          const entry = ['-importcert', '-alias', 'ca', '-file', path('broker.pem')]
          execFileSync('keytool', [...entry, ...store, '-storepass', 'changeit'], { stdio: 'pipe' })
        }
        keytool('PKCS12')
        keytool('JKS')
        const password = { 'ssl.truststore.password': 'changeit' }
        const read = load({ ...password, 'ssl.truststore.location': path('trust.PKCS12') })
        expect(read.problems).toEqual([])
        expect(new X509Certificate(read.material.ca![0]).raw).toEqual(certificate.raw)
        const { problems } = load({ ...password, 'ssl.truststore.location': path('trust.JKS') })
        expect(problems[0].expected).toContain('keytool -importkeystore')
      })
    })

    it('damaged at any byte are refused without a crash', () => {
      const file = readFileSync(path('key.p12'))
      fc.assert(
        fc.property(fc.nat(400), fc.nat(255), (at, value) => {
          const changed = Buffer.from(file)
          changed[at] = value
          expect(['object', 'error']).toContain(outcome(() => certificatesOfPkcs12(changed, 'p')))
        }),
        { numRuns: 50 },
      )
    })
  })
})

describe('ssl.cipher.suites', () => {
  it.each([
    ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
    ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
    ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'ECDHE-RSA-AES128-SHA256'],
    ['TLS_RSA_WITH_AES_128_GCM_SHA256', 'AES128-GCM-SHA256'],
  ])('knows %s as %s', (iana, expected) => {
    const { material, problems } = load({ 'ssl.cipher.suites': iana })
    expect(problems).toEqual([])
    expect(material.ciphers).toBe(expected)
  })
})

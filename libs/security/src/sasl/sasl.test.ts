import fc from 'fast-check'
import { parseJaas } from './jaas'
import { plainMechanism } from './plain'

describe('parseJaas', () => {
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'

  it('reads modules with their options, as Kafka writes them', () => {
    const text = `${module} required \\n username="admin" password="a=b;c" user_a-b='x' ;\nother.Module OPTIONAL;`
    const [first, second] = parseJaas(text.replaceAll('\\n', '\n'))
    expect(first.loginModule).toBe(module)
    expect([...first.options]).toEqual([
      ['username', 'admin'],
      ['password', 'a=b;c'],
      ['user_a-b', 'x'],
    ])
    expect(second).toEqual({ loginModule: 'other.Module', options: new Map() })
  })

  it('reads comments and escapes', () => {
    const text = `// a comment\n${module} required /* user_x="y" */ password="say \\"hi\\"\\tnow\\101";`
    expect(parseJaas(text)[0].options.get('password')).toBe('say "hi"\tnowA')
  })

  it.each([
    ['', 'a login module'],
    [module, 'one of required'],
    [`${module} maybe;`, 'one of required'],
    [`${module} required`, 'a semicolon'],
    [`${module} required password;`, 'options name="value"'],
    [`${module} required password=;`, 'options name="value"'],
    ['"quoted', 'the name of a login module'],
  ])('refuses %s', (text, expected) => {
    expect(() => parseJaas(text)).toThrow(expected)
  })

  it('keeps any password', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (password) => {
        fc.pre(!/[\n\0]/.test(password))
        const quoted = password.replace(/["\\]/g, '\\$&')
        expect(parseJaas(`m required p="${quoted}";`)[0].options.get('p')).toBe(password)
      }),
    )
  })
})

describe('PLAIN', () => {
  const mechanism = plainMechanism(
    new Map([
      ['alice', 'secret'],
      ['constructor', 'x'],
    ]),
  )
  const logIn = (message: string) => mechanism.begin().evaluate(Buffer.from(message))

  it('logs in who knows the password', () => {
    expect(logIn('\0alice\0secret')).toEqual({
      challenge: Buffer.alloc(0),
      login: { userName: 'alice', isToken: false, expiresAtMs: null },
    })
    expect(logIn('alice\0alice\0secret')).toMatchObject({ login: { userName: 'alice' } })
  })

  it.each([
    ['\0alice\0wrong', 'Authentication failed: Invalid username or password'],
    ['\0nobody\0secret', 'Authentication failed: Invalid username or password'],
    ['\0toString\0secret', 'Authentication failed: Invalid username or password'],
    ['\0\0secret', 'Authentication failed: username not specified'],
    ['\0alice\0', 'Authentication failed: password not specified'],
    ['root\0alice\0secret', 'different from username'],
    ['alice\0secret', 'expected 3 tokens, got 2'],
    ['\0alice\0secret\0', 'expected 3 tokens, got 4'],
    ['', 'expected 3 tokens, got 1'],
  ])('refuses %j as Kafka does', (message, reason) => {
    expect(() => logIn(message)).toThrow(
      expect.objectContaining({ clientMessage: expect.stringContaining(reason) }),
    )
  })
})

import { createConfigProviders, hasPlaceholder, resolvePlaceholders } from './config-providers'

const deps = {
  environment: { DB_PASSWORD: 's3cret', EMPTY: '' },
  disk: {
    readFile: async (path: string) =>
      path === '/run/secrets.properties'
        ? Buffer.from('db.user=shop\nnested=${env:DB_PASSWORD}')
        : null,
  },
}
const providers = createConfigProviders(deps, {}, [])
const resolve = async (text: string) => (await resolvePlaceholders(providers, { key: text })).key

describe('config providers', () => {
  it.each([
    ['${env:DB_PASSWORD}', 's3cret'],
    ['${env::DB_PASSWORD}', 's3cret'],
    ['${env:EMPTY}', ''],
    ['${file:/run/secrets.properties:db.user}', 'shop'],
    ['jdbc://${file:/run/secrets.properties:db.user}:${env:DB_PASSWORD}@h', 'jdbc://shop:s3cret@h'],
    ['plain', 'plain'],
    ['${vault:a:b}', '${vault:a:b}'],
    ['${topic}-suffix', '${topic}-suffix'],
  ])('resolves %s', async (text, expected) => {
    expect(await resolve(text)).toBe(expected)
  })

  it('does not look for placeholders in what a placeholder brought in', async () => {
    expect(await resolve('${file:/run/secrets.properties:nested}')).toBe('${env:DB_PASSWORD}')
  })

  it.each([
    ['${env:NOT_SET}', /NOT_SET.*the variable is not set/],
    ['${file:/nowhere:key}', /the file does not exist/],
    ['${file:/run/secrets.properties:missing}', /no such key/],
  ])('says why %s cannot be resolved', async (text, message) => {
    await expect(resolve(text)).rejects.toThrow(message)
  })

  it('keeps a file provider to its allowed paths', async () => {
    const restricted = createConfigProviders(
      deps,
      {
        'config.providers.secrets.class':
          'org.apache.kafka.common.config.provider.FileConfigProvider',
        'config.providers.secrets.param.allowed.paths': '/etc/only',
      },
      ['secrets'],
    )
    const text = '${secrets:/run/secrets.properties:db.user}'
    await expect(resolvePlaceholders(restricted, { text })).rejects.toThrow(/allowed.paths/)
    const escape = '${secrets:/etc/only/../../run/secrets.properties:db.user}'
    await expect(resolvePlaceholders(restricted, { escape })).rejects.toThrow(/allowed.paths/)
  })

  it('refuses a provider class that there is none of', () => {
    expect(() => createConfigProviders(deps, {}, ['vault'])).toThrow(/vault/)
  })

  it('tells a placeholder from other text with a dollar', () => {
    expect(hasPlaceholder('${env:A}')).toBe(true)
    expect(hasPlaceholder('$1-${name}')).toBe(false)
  })
})
